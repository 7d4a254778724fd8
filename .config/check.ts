import { spawn } from 'node:child_process';

/** The gate: everything at once, the longest first; what passes is one line, what fails is told whole. */
const CHECKS = ['unit', 'lint', 'types', 'dead', 'format'];

interface Ended {
  readonly check: string;
  readonly code: number;
  readonly output: string;
  readonly seconds: number;
}

function run(check: string): Promise<Ended> {
  const began = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn('npm', ['run', '--silent', `check:${check}`], { stdio: ['ignore', 'pipe', 'pipe'] });
    const parts: Buffer[] = [];
    child.stdout.on('data', (part: Buffer) => parts.push(part));
    child.stderr.on('data', (part: Buffer) => parts.push(part));
    child.on('error', reject);
    child.on('close', (code) =>
      resolve({ check, code: code ?? 1, output: Buffer.concat(parts).toString('utf8'), seconds: (performance.now() - began) / 1000 }),
    );
  });
}

const began = performance.now();
const ended = await Promise.all(
  CHECKS.map(async (check) => {
    const one = await run(check);
    if (one.code !== 0) process.stdout.write(`\n--- ${check} ---\n${one.output}\n`);
    process.stdout.write(`${one.code === 0 ? 'passed' : 'FAILED'} ${check} in ${one.seconds.toFixed(1)} s\n`);
    return one;
  }),
);
process.stdout.write(`${((performance.now() - began) / 1000).toFixed(1)} s in all\n`);
process.exitCode = ended.some((one) => one.code !== 0) ? 1 : 0;
