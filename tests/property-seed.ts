/** Properties draw other values in every run, and the same ones in continuous integration: what fails there fails again. */
import fc from 'fast-check';

if (process.env.CI) fc.configureGlobal({ seed: 20_261_130 });
