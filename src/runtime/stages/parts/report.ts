import type { StageContext } from '../stage.ts';
import type { Account } from './examples.ts';

/** Says what was read and what was lost. Errors: StageError `overlong-row` where `overlong` is `error` and rows are too long. */
export function report(context: StageContext, split: string, account: Account): void {
  account.overlong.refuse(account.rows);
  const lost = account.dropped + account.truncated;
  context.message(
    lost > 0 ? 'warning' : 'info',
    `${split}: ${account.rows - account.dropped} rows, ${account.tokens} tokens` +
      (account.supervisedTokens > 0 ? `, ${account.supervisedTokens} of them learned` : '') +
      (lost > 0
        ? `; of ${account.rows} rows ${account.dropped} dropped and ${account.truncated} cut, being longer than the context`
        : ''),
  );
}
