/** JUnit's XML as GitLab, Jenkins and GitHub readers take it: a suite per pipeline, a case per stage and gate. */
import { keyFigures } from '../metric-names.ts';
import type { RunView, StageView } from '../view-model.ts';

export interface JunitCase {
  readonly suite: string;
  readonly name: string;
  readonly file?: string;
  readonly seconds: number;
  readonly failure?: { readonly message: string; readonly details: string };
  /** The case did not run. */
  readonly skipped?: boolean;
  readonly output?: string;
}

export function junitXml(suite: string, cases: readonly JunitCase[]): string {
  const seconds = cases.reduce((sum, one) => sum + one.seconds, 0);
  const counts = `tests="${cases.length}" failures="${cases.filter(({ failure }) => failure).length}" errors="0" skipped="${cases.filter(({ skipped }) => skipped).length}" time="${seconds.toFixed(3)}"`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${counts}>`,
    `  <testsuite name="${escapeXml(suite)}" ${counts}>`,
    ...cases.flatMap(caseLines),
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

/** A cached stage passed: its output says that it was cached. A gate that was not met is a failure. */
export function runCases(view: RunView, file: string): readonly JunitCase[] {
  return view.stages.map((stage): JunitCase => {
    const failure = failureOf(stage, view);
    const output = stage.state === 'cached' ? 'cached' : keyFigures(stage.results, 20).join('\n');
    return {
      suite: view.pipeline ?? 'pipeline',
      name: stage.id,
      file,
      seconds: stage.state === 'cached' ? 0 : (stage.seconds ?? 0),
      ...(failure === undefined ? {} : { failure }),
      ...(stage.state === 'skipped' || stage.state === 'stopped' ? { skipped: true } : {}),
      ...(output === '' ? {} : { output }),
    };
  });
}

function failureOf(stage: StageView, view: RunView): JunitCase['failure'] {
  if (stage.state === 'gate_failed') {
    const failed = stage.conditions.filter(({ passed }) => !passed);
    return {
      message: 'gate not met',
      details: failed.map(({ text, value }) => `${text}, is ${value}`).join('\n'),
    };
  }
  if (stage.state !== 'failed' && stage.state !== 'blocked') return undefined;
  const problem = view.problems.find((one) => one.stage === stage.id);
  if (problem === undefined) return { message: stage.state, details: '' };
  const { code, message, notes, help } = problem;
  return { message: `${code}: ${message}`, details: [...notes, ...help].join('\n') };
}

function caseLines(one: JunitCase): readonly string[] {
  const file = one.file === undefined ? '' : ` file="${escapeXml(one.file)}"`;
  const open = `    <testcase classname="${escapeXml(one.suite)}" name="${escapeXml(one.name)}"${file} time="${one.seconds.toFixed(3)}"`;
  const inner = [
    ...(one.failure === undefined
      ? []
      : [
          `      <failure message="${escapeXml(one.failure.message)}">${escapeXml(one.failure.details)}</failure>`,
        ]),
    ...(one.skipped ? ['      <skipped/>'] : []),
    ...(one.output === undefined ? [] : [`      <system-out>${escapeXml(one.output)}</system-out>`]),
  ];
  return inner.length === 0 ? [`${open}/>`] : [`${open}>`, ...inner, '    </testcase>'];
}

/** XML 1.0 has no way to write most control characters: they are left out. */
function escapeXml(text: string): string {
  return text
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, '')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll('\n', '&#10;');
}
