import { webhookVerifier } from '#adapters/github/github.ts';
import { randomIds, systemClock } from '#adapters/machine/machine.ts';
import { sqliteInbox } from '#adapters/sqlite/sqlite.ts';
import { toSecret } from '#model/secret.ts';
import { webhookIntake } from '#service/intake.ts';
import { httpServer, USUAL_LIMITS } from '#service/server.ts';

/** The service's own intake on its own server, with nobody working the inbox off. */
const quiet = { info: nothing, warn: nothing, error: nothing, debug: nothing };
const inbox = await sqliteInbox(String(process.argv[3]));
const ids = randomIds();
const webhook = webhookIntake({
  inbox,
  verifier: webhookVerifier({ current: toSecret(String(process.argv[2])), previous: [] }),
  clock: systemClock,
  ids,
  journal: quiet,
  limit: 5 * 1024 * 1024,
  linger: 500,
  counted: nothing,
  arrived: nothing,
});
const app = httpServer({
  ids,
  journal: quiet,
  limits: USUAL_LIMITS,
  webhook,
  version: '0',
  isReady: () => true,
  metrics: async () => ({ contentType: 'text/plain', text: '' }),
});
await app.listen({ host: '127.0.0.1', port: 0 });
const address = app.server.address();
console.log(typeof address === 'object' ? address?.port : undefined);
process.once('SIGTERM', () => {
  app.server.closeAllConnections();
  void app.close().then(() => inbox.close());
});

function nothing(): void {}
