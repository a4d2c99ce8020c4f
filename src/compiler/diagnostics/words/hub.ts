/** Words of the problems of a hub (FTP4003 to FTP4006). What happened is said by the runtime, which spoke with it. */
import type { Words } from './words.ts';

interface Said {
  readonly message: string;
  readonly notes?: readonly string[];
  readonly help?: readonly string[];
}

const asSaid = (said: Said): Words => said;

export const hubWords = {
  'not-on-the-hub': asSaid,
  'no-hub-access': asSaid,
  'hub-unreachable': asSaid,
  'broken-download': asSaid,
};
