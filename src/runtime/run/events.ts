/** What a run says while it happens: the contract between the engine's process and every face of a run. */

export type Metrics = { readonly [name: string]: number };
export type StageAction = 'run' | 'cached' | 'resume' | 'blocked';

export interface ConditionResult {
  readonly text: string;
  readonly value: number;
  readonly passed: boolean;
}

/** A piece of generated text kept for people: what an eval or ppo stage produced. */
export interface Sample {
  readonly prompt: string;
  readonly completion: string;
  readonly expected?: string;
  readonly correct?: boolean;
  readonly reward?: number;
}

export type RunEvent =
  | { readonly type: 'version'; readonly format_version: '1.0'; readonly ftc: string }
  | {
      readonly type: 'run_started';
      readonly run: string;
      readonly pipeline: string;
      readonly stages: readonly string[];
      readonly device: string;
    }
  | {
      readonly type: 'stage_started';
      readonly stage: string;
      readonly kind: string;
      readonly action: StageAction;
      readonly steps: number;
      readonly from_step?: number;
    }
  | {
      readonly type: 'step';
      readonly stage: string;
      readonly step: number;
      readonly steps: number;
      readonly metrics: Metrics;
    }
  | { readonly type: 'evaluated'; readonly stage: string; readonly step: number; readonly metrics: Metrics }
  | {
      readonly type: 'samples';
      readonly stage: string;
      readonly step: number;
      readonly samples: readonly Sample[];
    }
  | { readonly type: 'checkpoint'; readonly stage: string; readonly step: number }
  | {
      readonly type: 'message';
      readonly stage?: string;
      readonly level: 'info' | 'warning' | 'error';
      readonly text: string;
    }
  | {
      readonly type: 'stage_finished';
      readonly stage: string;
      readonly action: StageAction;
      readonly seconds: number;
      readonly metrics: Metrics;
      readonly artifacts: { readonly [slot: string]: string };
      /** Where files were written outside the store. */
      readonly wrote?: string;
    }
  | {
      readonly type: 'gate';
      readonly stage: string;
      readonly passed: boolean;
      readonly conditions: readonly ConditionResult[];
    }
  | {
      /** A failure with a code of the diagnostics table; `file`/`line`/`column` point into the pipeline text or a data file. */
      readonly type: 'diagnostic';
      readonly stage?: string;
      readonly code: string;
      readonly message: string;
      readonly file?: string;
      readonly line?: number;
      readonly column?: number;
      readonly notes: readonly string[];
      readonly help: readonly string[];
    }
  | {
      readonly type: 'run_finished';
      readonly run: string;
      readonly status: 'ok' | 'failed' | 'gate_failed' | 'stopped';
      readonly exit_code: number;
      readonly seconds: number;
    };
