/** A run in GitHub Actions: a group per stage, annotations on the pipeline text, a step summary and outputs. */
import { randomUUID } from 'node:crypto';
import type { Face } from '../face.ts';
import type { Problem } from '../view-model.ts';
import { type Annotation, annotationLine, appendStepSummary, setOutputs } from './github-commands.ts';
import { runMarkdown } from './markdown.ts';

export interface GithubOptions {
  readonly write: (text: string) => void;
  readonly environment: NodeJS.ProcessEnv;
  /** Draws the lines in between; what they say cannot be read as a command. */
  readonly inner: Face | undefined;
}

export function githubFace({ write, environment, inner }: GithubOptions): Face {
  const token = randomUUID();
  const annotate = (annotation: Annotation) => {
    if (inner !== undefined) write(`${annotationLine(annotation)}\n`);
  };
  // Text of models and data may contain `::error::`: commands are off while it is written.
  const guarded = (show: () => void) => {
    write(`::stop-commands::${token}\n`);
    show();
    write(`::${token}::\n`);
  };
  return {
    show: (event, view, at) => {
      if (inner !== undefined) {
        if (event.type === 'stage_started') write(`::group::${event.stage}\n`);
        if (event.type === 'message' && mayHoldCommands(event.text))
          guarded(() => inner.show(event, view, at));
        else inner.show(event, view, at);
        if (event.type === 'stage_finished') write('::endgroup::\n');
      }
      if (event.type === 'diagnostic') annotate(problemAnnotation(event));
      if (event.type === 'message' && event.level === 'warning') {
        annotate({ level: 'warning', title: event.stage ?? 'ftc', message: event.text });
      }
    },
    close: async (view) => {
      if (inner !== undefined) {
        write('::endgroup::\n');
        guarded(() => void inner.close(view));
      }
      appendStepSummary(runMarkdown(view), environment);
      const gates = view.stages.filter(({ conditions }) => conditions.length > 0);
      setOutputs(
        {
          run_id: view.run ?? '',
          status: view.status ?? '',
          ...(gates.length === 0
            ? {}
            : { gate: gates.every(({ state }) => state !== 'gate_failed') ? 'passed' : 'failed' }),
        },
        environment,
      );
    },
  };
}

function mayHoldCommands(text: string): boolean {
  return text.includes('::');
}

function problemAnnotation({ code, message, file, line, column, help }: Problem): Annotation {
  return {
    level: 'error',
    title: code,
    message: [message, ...help.map((one) => `help: ${one}`)].join('\n'),
    ...(file === undefined ? {} : { file }),
    ...(line === undefined ? {} : { line }),
    ...(column === undefined ? {} : { column }),
  };
}
