/** Which faces a run shows: what was asked for, else the live view where there is a terminal, else plain lines. */
import type { Face } from './face.ts';
import type { RunControl } from './follow-run.ts';
import { jsonFace } from './json.ts';
import type { Output } from './output.ts';
import { version } from './package-root.ts';
import { plainFace } from './plain.ts';
import { githubFace } from './reporters/github-face.ts';
import { junitXml, runCases } from './reporters/junit.ts';
import { runMarkdown } from './reporters/markdown.ts';
import { type ReporterRequest, reportSink, takesStdout } from './reporters/reporter-request.ts';
import { summarize } from './summary.ts';

export interface FaceChoice {
  readonly json: boolean;
  readonly plain: boolean;
  readonly quiet: boolean;
  readonly reporters: readonly ReporterRequest[];
  /** The command that goes on with this run. */
  readonly resume: string;
  /** Directory of the store. */
  readonly store: string;
  /** The pipeline file, for reports that point into it. */
  readonly file: string;
}

export async function chooseFaces(
  choice: FaceChoice,
  output: Output,
  control: { readonly current?: RunControl },
): Promise<readonly Face[]> {
  const { json, plain, quiet, resume, store, reporters, file } = choice;
  const github = reporters.some(({ name }) => name === 'github');
  const taken = json || reporters.some(takesStdout);
  const plainLines = () => plainFace({ write: output.write, style: output.style, quiet, resume, store });
  const main = (): Face | Promise<Face> | undefined => {
    if (taken) return json ? jsonFace(output.write, version) : undefined;
    return plain || quiet || github || !output.interactive ? plainLines() : liveFace(output, choice, control);
  };
  const face = await main();
  const written = reporters.flatMap((request) =>
    request.name === 'github' ? [] : [reporterFace(request, output, file)],
  );
  if (!github) return face === undefined ? written : [face, ...written];
  const inner = taken ? undefined : face;
  const outer = githubFace({ write: output.write, environment: process.env, inner });
  return [outer, ...(taken && face !== undefined ? [face] : []), ...written];
}

/** ink and react cost a second to load: only where they are seen. */
async function liveFace(
  output: Output,
  { resume, store }: FaceChoice,
  control: { readonly current?: RunControl },
): Promise<Face> {
  // chalk, inside ink, knows FORCE_COLOR and not NO_COLOR.
  if (!output.style.enabled) process.env.FORCE_COLOR = '0';
  const { terminalFace } = await import('./terminal/terminal-face.tsx');
  const { stdout, stdin } = process;
  const face = terminalFace({ stdout, stdin, resume, onStop: () => control.current?.stop('SIGINT') });
  return {
    show: face.show,
    close: async (view) => {
      await face.close(view);
      const { style, columns } = output;
      output.line(summarize(view, { style, resume, store, columns, told: true }).join('\n'));
    },
  };
}

function reporterFace(request: ReporterRequest, output: Output, file: string): Face {
  const write = reportSink(request, output);
  if (request.name === 'json') return jsonFace(write, version);
  return {
    show: () => {},
    close: (view) =>
      write(
        request.name === 'junit'
          ? junitXml(view.pipeline ?? 'pipeline', runCases(view, file))
          : runMarkdown(view),
      ),
  };
}
