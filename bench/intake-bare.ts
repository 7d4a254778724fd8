import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';

/** The yardstick: reads the body, checks the same HMAC, answers 202, stores nothing. */
const secret = String(process.argv[2]);
const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const expected = `sha256=${createHmac('sha256', secret).update(Buffer.concat(chunks)).digest('hex')}`;
    const given = String(request.headers['x-hub-signature-256']);
    const isRight = given.length === expected.length && timingSafeEqual(Buffer.from(given), Buffer.from(expected));
    response.writeHead(isRight ? 202 : 401, { 'content-type': 'text/plain; charset=utf-8', 'content-length': 9 });
    response.end('accepted\n');
  });
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  console.log(typeof address === 'object' ? address?.port : undefined);
});
process.once('SIGTERM', () => {
  server.close();
  server.closeAllConnections();
});
