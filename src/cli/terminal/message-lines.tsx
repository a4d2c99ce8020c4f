import { Text } from 'ink';
import type { Message } from '../view-model.ts';

/** The latest messages, one line each. */
export function MessageLines({ messages }: { readonly messages: readonly Message[] }) {
  return messages.map((message, i) => (
    // The same text may come twice; only its place tells them apart.
    <Text key={i} wrap="truncate" dimColor>
      {'  '}
      {message.stage === undefined ? '' : `${message.stage}: `}
      {message.text.replaceAll('\n', ' ')}
    </Text>
  ));
}
