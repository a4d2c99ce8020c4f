/** Pages of what can go wrong with models from a hub. */
import { page } from './page.ts';

const opened = (model: string): string =>
  `model base = ${model}\ndata qa = jsonl("qa.jsonl")\nopen(model=base) → sft(data=qa)`;

export const hubPages = {
  'not-on-the-hub': page(
    `The hub has no such repository, revision or file, or the repository is private and the token that was sent may not see it.
    \`hf("org/name" rev="…")\` takes the name as it stands on the hub; \`rev\` is a branch, a tag or a commit. A repository also has to
    hold \`config.json\` and weights in safetensors: files that run code when they are opened (\`.bin\`, \`.pt\`) are never fetched.`,
    opened('hf("HuggingFaceTB/SmolLM-135")'),
    opened('hf("HuggingFaceTB/SmolLM-135M")'),
  ),
  'no-hub-access': page(
    `The hub knows the repository but does not give it out: its conditions have to be accepted on its page first (it is gated), or the
    token is unknown or lacks the right to read it. The token is read from \`HF_TOKEN\`, or from the file that
    \`hf auth login\` writes; it is sent to the hub's own host and to no other. Exit code 6.`,
    opened('hf("meta-llama/Llama-3.2-1B")'),
    opened('hf("HuggingFaceTB/SmolLM2-1.7B")'),
  ),
  'hub-unreachable': page(
    `The hub did not answer, or not any more, after several attempts; or \`HF_HUB_OFFLINE\` (\`TRANSFORMERS_OFFLINE\`) is set and the
    cache lacks the model. What was fetched is kept, and the next attempt goes on there. The cache is the one of Python's
    huggingface_hub (\`HF_HOME\`, \`HF_HUB_CACHE\`): a model that was fetched there is found here. \`HF_ENDPOINT\` names a mirror. Exit
    code 6.`,
    opened('hf("HuggingFaceTB/SmolLM-135M")'),
    opened('local("models/smollm-135m")'),
  ),
  'broken-download': page(
    `What came is not what the hub announced: the bytes have another hash or another length, an answer lacks what every hub says, or a
    name in it leads out of its directory. Nothing of it is kept. Often a proxy or a mirror changes what it passes on.`,
    opened('hf("HuggingFaceTB/SmolLM-135M")'),
    opened('hf("HuggingFaceTB/SmolLM-135M")'),
  ),
};
