/**
 * Every problem that ftc reports, in one table. A code is never used again for something else. The first digit is
 * the group: 0 lexical, 1 syntax, 2 names, types and units, 3 graph, 4 resources, 5 data, 6 runtime and device,
 * 7 cache, lock and plan, 8 reporters, 9 internal.
 */
export type Severity = 'error' | 'warning';

export interface CodeEntry {
  readonly code: `FTP${number}`;
  readonly severity: Severity;
  /** Exit code of a command that ends because of it (the table of the command line's contract). */
  readonly exit: 1 | 3 | 4 | 5 | 6 | 70;
}

function entry(
  code: CodeEntry['code'],
  exit: CodeEntry['exit'] = 1,
  severity: Severity = 'error',
): CodeEntry {
  return { code, severity, exit };
}

export const codes = {
  'not-text': entry('FTP0001'),
  'bad-character': entry('FTP0002'),
  'unclosed-string': entry('FTP0003'),
  'bad-escape': entry('FTP0004'),
  'mixed-script': entry('FTP0005', 1, 'warning'),
  'file-too-large': entry('FTP0006'),
  'unreadable-file': entry('FTP0007'),

  'empty-file': entry('FTP1001'),
  unexpected: entry('FTP1002'),
  'unclosed-bracket': entry('FTP1003'),
  'missing-value': entry('FTP1004'),
  'missing-arrow': entry('FTP1005'),
  'same-line': entry('FTP1006'),
  'too-deep': entry('FTP1007'),
  'too-many-errors': entry('FTP1008'),

  'unknown-stage': entry('FTP2001'),
  'unknown-name': entry('FTP2002'),
  'unknown-param': entry('FTP2003'),
  'unknown-argument': entry('FTP2004'),
  'wrong-type': entry('FTP2005'),
  'out-of-range': entry('FTP2006'),
  'not-a-choice': entry('FTP2007'),
  'unknown-unit': entry('FTP2008'),
  'wrong-unit': entry('FTP2009'),
  'missing-param': entry('FTP2010'),
  'duplicate-name': entry('FTP2011'),
  'duplicate-param': entry('FTP2012'),
  'method-not-hosted': entry('FTP2013'),
  'two-methods': entry('FTP2014'),
  circular: entry('FTP2015'),
  'import-not-found': entry('FTP2016'),
  'bad-import': entry('FTP2017'),
  'unknown-setting': entry('FTP2018'),
  'unknown-choice': entry('FTP2019'),
  'shadows-builtin': entry('FTP2020'),
  'too-large': entry('FTP2021'),
  'misplaced-condition': entry('FTP2022'),
  'misplaced-call': entry('FTP2023'),
  'without-effect': entry('FTP2024'),
  'model-without-weights': entry('FTP2025'),

  'missing-slot': entry('FTP3001'),
  'duplicate-label': entry('FTP3002'),
  'unknown-metric': entry('FTP3003'),
  'ambiguous-metric': entry('FTP3004'),
  'metric-made-later': entry('FTP3005'),
  'no-conditions': entry('FTP3006'),
  'no-pipeline': entry('FTP3007'),
  'which-pipeline': entry('FTP3008'),
  'unknown-label': entry('FTP3009'),

  'not-enough-memory': entry('FTP4001', 4),
  'not-enough-disk': entry('FTP4002', 4),
  'not-on-the-hub': entry('FTP4003'),
  'no-hub-access': entry('FTP4004', 6),
  'hub-unreachable': entry('FTP4005', 6),
  'broken-download': entry('FTP4006'),

  'missing-data-file': entry('FTP5001'),
  'empty-data': entry('FTP5002'),
  'not-json': entry('FTP5003'),
  'missing-field': entry('FTP5004'),
  'no-supervised-token': entry('FTP5005'),
  'overlong-row': entry('FTP5006'),
  'bad-row': entry('FTP5007'),
  'bad-template': entry('FTP5008'),
  'no-convention-data': entry('FTP5009'),
  'too-few-rows': entry('FTP5010'),
  'unreadable-model': entry('FTP5011'),
  'broken-data-file': entry('FTP5012'),
  'ambiguous-columns': entry('FTP5013'),

  diverged: entry('FTP6001'),
  'method-does-not-fit': entry('FTP6002'),
  'model-does-not-fit': entry('FTP6003'),
  'gate-not-met': entry('FTP6004', 3),
  'no-device': entry('FTP6005', 6),
  'engine-died': entry('FTP6006'),
  'not-writable': entry('FTP6007', 6),
  'stage-failed': entry('FTP6008'),
  'would-overwrite': entry('FTP6009'),
  'export-differs': entry('FTP6010'),

  'other-store-version': entry('FTP7001', 5),
  'store-in-use': entry('FTP7002', 5),
  'stale-plan': entry('FTP7003', 5),
  'broken-artifact': entry('FTP7004'),
  'broken-checkpoint': entry('FTP7005'),
  'not-a-plan': entry('FTP7006', 5),

  'unknown-reporter': entry('FTP8001'),
  'reporter-failed': entry('FTP8002', 1, 'warning'),

  internal: entry('FTP9001', 70),
} as const satisfies { readonly [name: string]: CodeEntry };

export type ProblemName = keyof typeof codes;

/** `unknown-param` of `FTP2003`; also takes the name itself, in any case. */
export function problemNameOf(codeOrName: string): ProblemName | undefined {
  const wanted = codeOrName.trim().toLowerCase();
  for (const [name, { code }] of Object.entries(codes)) {
    if (name === wanted || code.toLowerCase() === wanted) return name as ProblemName;
  }
  return undefined;
}
