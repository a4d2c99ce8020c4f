/** A reader that has seen enough (`ftc … | head`) closes the pipe: leave, as any tool does; a run saves first. */
import { signalExitCodes } from './exit-codes.ts';

export function leaveWhenPipeCloses(): void {
  let closed = false;
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      if (closed) return;
      closed = true;
      // Node ignores the signal itself; whoever listens for it (a run) takes care of leaving.
      if (!process.emit('SIGPIPE', 'SIGPIPE')) process.exit(signalExitCodes.SIGPIPE);
    });
  }
}
