/** Fetches `org/tiny` as the environment says, in a process of its own; waits 20 ms where ftc waits longer. */
import { fetchModel } from '../../dist/src/runtime/hub/fetch-model.js';

const pause = () => new Promise((resolve) => setTimeout(resolve, 20));
const { directory } = await fetchModel({ repository: 'org/tiny', pause });
process.stdout.write(directory);
