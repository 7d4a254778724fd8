import { maskOf } from '#model/secret-mask.ts';
import { toSecret, type Secret } from '#model/secret.ts';

/** Bytes of one answer: a hundred pull requests with long descriptions have a few million. */
const LONGEST = 32 * 1024 * 1024;
/** Of a refusal, whose words go into messages. */
const LONGEST_WORDS = 64 * 1024;

/** An answer within its limit. A refusal, and what is no JSON, ends in messages and logs: it is rid of what was sent, should it repeat that. */
export async function cleanAnswer(answer: Response, sent: RequestInit | undefined): Promise<Response> {
  if (answer.body === null) return answer;
  const isWords = answer.status >= 400 || !/\bjson\b/.test(answer.headers.get('content-type') ?? '');
  if (!isWords) return rebuilt(answer, limited(answer.body, LONGEST));
  const text = await new Response(limited(answer.body, LONGEST_WORDS)).text();
  return rebuilt(answer, maskOf(secretsIn(sent))(text));
}

function rebuilt(answer: Response, body: ReadableStream<Uint8Array> | string): Response {
  const { status, statusText, headers, url } = answer;
  const made = new Response(body, { status, statusText, headers });
  // A response that is made has no address, and pagination looks at it.
  return Object.defineProperty(made, 'url', { value: url });
}

function limited(body: ReadableStream<Uint8Array>, limit: number): ReadableStream<Uint8Array> {
  let size = 0;
  return body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        size += chunk.byteLength;
        if (size > limit) controller.error(new Error(`the forge answered with more than ${limit} bytes`));
        else controller.enqueue(chunk);
      },
    }),
  );
}

/** The token or JWT of the header, and the secret of a webhook that is being installed. */
function secretsIn(sent: RequestInit | undefined): readonly Secret[] {
  const header = new Headers(sent?.headers).get('authorization');
  const [, credential] = header?.split(' ', 2) ?? [];
  const [, written] = typeof sent?.body === 'string' ? (/"secret":"((?:[^"\\]|\\.)*)"/.exec(sent.body) ?? []) : [];
  const secret: unknown = written === undefined ? undefined : JSON.parse(`"${written}"`);
  return [credential, secret].filter((text) => typeof text === 'string').map(toSecret);
}
