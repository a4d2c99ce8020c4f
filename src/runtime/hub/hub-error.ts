/** What can go wrong between ftc and a hub, or in the cache that holds what came from it. */
import type { ProblemName } from '../../compiler/diagnostics/codes.ts';

export type HubErrorKind =
  /** The name of a repository, revision or file is not one that a hub can have. */
  | 'bad-name'
  /** No such repository, or one that only its owner sees. */
  | 'no-repository'
  | 'no-revision'
  | 'no-file'
  /** Its conditions have to be accepted first. */
  | 'gated'
  /** The token is unknown to the hub (401), or may not read this (403). */
  | 'no-access'
  /** No answer, or none in time, after all attempts. */
  | 'unreachable'
  /** Asked to stay offline, and the cache lacks it. */
  | 'not-cached'
  /** 429 after all attempts, or with a longer wait than anybody sits through. */
  | 'too-many-requests'
  /** An answer that no hub gives: an unexpected status, or one without what is needed. */
  | 'bad-answer'
  /** The bytes are not those that the hub announced. */
  | 'wrong-content'
  | 'disk-full'
  | 'not-writable';

const PROBLEMS: { readonly [K in HubErrorKind]: ProblemName } = {
  'bad-name': 'not-on-the-hub',
  'no-repository': 'not-on-the-hub',
  'no-revision': 'not-on-the-hub',
  'no-file': 'not-on-the-hub',
  gated: 'no-hub-access',
  'no-access': 'no-hub-access',
  unreachable: 'hub-unreachable',
  'not-cached': 'hub-unreachable',
  'too-many-requests': 'hub-unreachable',
  'bad-answer': 'broken-download',
  'wrong-content': 'broken-download',
  'disk-full': 'not-enough-disk',
  'not-writable': 'not-writable',
};

export class HubError extends Error {
  override readonly name = 'HubError';
  readonly kind: HubErrorKind;
  /** Its entry of the diagnostics table. */
  readonly problem: ProblemName;
  readonly notes: readonly string[];
  readonly help: readonly string[];

  constructor(
    kind: HubErrorKind,
    message: string,
    more: { readonly notes?: readonly string[]; readonly help?: readonly string[] } = {},
  ) {
    super(message);
    this.kind = kind;
    this.problem = PROBLEMS[kind];
    this.notes = more.notes ?? [];
    this.help = more.help ?? [];
  }
}
