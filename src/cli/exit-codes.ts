/** How a command ends: a contract with scripts and CI. */
export const exitCodes = {
  ok: 0,
  /** The source or a stage failed. */
  failed: 1,
  usage: 2,
  /** A gate was not met: CI must tell it from a crash. */
  gate: 3,
  /** Memory, disk or budget. */
  doesNotFit: 4,
  /** The lock or the plan is stale. */
  stale: 5,
  /** The environment or the device is missing. */
  environment: 6,
  /** A bug in ftc. */
  bug: 70,
} as const;

/** What a shell reports for a process that a signal ended. */
export const signalExitCodes = { SIGHUP: 129, SIGINT: 130, SIGPIPE: 141, SIGTERM: 143 } as const;

export type StopSignal = keyof typeof signalExitCodes;
