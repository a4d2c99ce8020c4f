/** What a run would do, as data: the JSON of `ftc plan --json`, frozen into `plan.json` when a run starts. */
import type { FilledDefault, Span } from '../../compiler/graph/graph.ts';
import type { StageAction } from './events.ts';

/** Something the plan found: a data file that is missing, a stage that does not fit. Drawn by the compiler's renderer. */
export interface PlanDiagnostic {
  /** `warning`: it can be planned, and a run refuses it. */
  readonly severity: 'error' | 'warning';
  /** `FTPnnnn`. */
  readonly code: string;
  readonly message: string;
  readonly stage?: string;
  readonly span?: Span;
  readonly notes: readonly string[];
  readonly help: readonly string[];
}

export interface PlannedParameters {
  readonly total: number;
  readonly trainable: number;
}

/** A range of wall-clock time, in seconds. */
export interface TimeRange {
  readonly low: number;
  readonly high: number;
}

export interface PlannedMemoryPart {
  /** `weights`, `packed weights`, `gradients`, … */
  readonly name: string;
  readonly bytes: number;
}

/** What else could be written, planned as if it had been. */
export interface PlannedFix {
  /** As it is written in the stage: `qlora`, `batch=4 accumulate=4`. */
  readonly change: string;
  readonly peak_bytes: number;
  readonly fits: boolean;
}

/** Where a stage's peak memory comes from. */
export interface PlannedMemory {
  /** The largest first; together the peak. */
  readonly parts: readonly PlannedMemoryPart[];
  readonly peak_bytes: number;
  /** Whether the device has that much. */
  readonly fits: boolean;
  /** Where it does not fit. */
  readonly fixes?: readonly PlannedFix[];
}

export interface PlannedStage {
  /** The stage's label, unique in the plan. */
  readonly id: string;
  readonly kind: string;
  readonly method?: string;
  readonly action: StageAction;
  /** Why, for people: `lr 0.0001 → 0.0002 (medical.ftp:13)`, `unchanged`, `waits for gate`. */
  readonly reason: string;
  /** `sha256:…`: the content key; equal keys have equal results. */
  readonly key: string;
  /** `pretrain.policy`: stage and slot. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Absent where the stage touches no model. */
  readonly parameters?: PlannedParameters;
  /** Optimizer steps (0 where it trains nothing); for `eval` batches. */
  readonly steps: number;
  /** Step a resumed stage continues from. */
  readonly from_step?: number;
  /** Tokens it will process over all steps. */
  readonly tokens: number;
  readonly peak_memory_bytes: number;
  /** Absent where it runs no program. */
  readonly memory?: PlannedMemory;
  /** What it writes and what it needs while it runs. */
  readonly disk_bytes: number;
  /** Of these, files that are gone when it ends. */
  readonly scratch_bytes?: number;
  readonly seconds: TimeRange;
  readonly defaults: readonly FilledDefault[];
  readonly notes: readonly string[];
}

export interface PlanTotals {
  /** How many stages would execute (`run` or `resume`). */
  readonly stages_to_run: number;
  readonly steps: number;
  readonly tokens: number;
  /** The largest of the stages that would execute: they run one after another. */
  readonly peak_memory_bytes: number;
  /** What stays of all of them, and the most that one needs besides while it runs. */
  readonly disk_bytes: number;
  readonly seconds: TimeRange;
}

export const deviceNumbers = ['f32', 'bf16'] as const;
export type DeviceNumbers = (typeof deviceNumbers)[number];

export interface Plan {
  readonly format_version: '1.0';
  readonly pipeline: string;
  /** Whether something would execute. */
  readonly has_changes: boolean;
  readonly stages: readonly PlannedStage[];
  readonly totals: PlanTotals;
  /** What the device has that was planned for: `--memory`, else this machine. */
  readonly device_memory_bytes?: number;
  /** Number format of its weights, gradients and activations: `--numbers`. Absent: as this machine keeps them, in f32. */
  readonly device_numbers?: DeviceNumbers;
  readonly diagnostics: readonly PlanDiagnostic[];
}
