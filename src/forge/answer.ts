/** What a route answers, and GitHub's ways of saying no. */
export interface Answer {
  readonly status: number;
  /** undefined: no body. */
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface FieldError {
  readonly resource: string;
  readonly code: string;
  readonly field?: string;
  readonly message?: string;
  readonly value?: string;
}

/** A request refused in GitHub's words; thrown by the helpers below, turned into an answer by the server. */
export interface Refusal {
  readonly status: number;
  readonly message: string;
  readonly errors: readonly (FieldError | string)[];
  readonly headers: Readonly<Record<string, string>>;
}

const refusals = new WeakMap<Error, Refusal>();
const DOCUMENTATION = 'https://docs.github.com/rest';

export function ok(body: unknown, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status: 200, body, headers };
}

export function created(body: unknown, location?: string): Answer {
  return { status: 201, body, headers: location === undefined ? {} : { location } };
}

export function noContent(): Answer {
  return { status: 204, body: undefined };
}

export function refuse(status: number, message: string, errors: readonly (FieldError | string)[] = []): Error {
  const error = new Error(message);
  refusals.set(error, { status, message, errors, headers: status === 401 ? { 'www-authenticate': 'Basic realm="GitHub"' } : {} });
  return error;
}

export function notFound(): Error {
  return refuse(404, 'Not Found');
}

/** Things whose errors GitHub tells as plain sentences. */
const SIMPLE = new Set(['ProtectedBranch']);

export function invalid(resource: string, field: string, code: string, message?: string): Error {
  if (SIMPLE.has(resource)) return refuse(422, 'Validation Failed', [message ?? `${field}: ${code}`]);
  return refuse(422, 'Validation Failed', [message === undefined ? { resource, field, code } : { resource, field, code, message }]);
}

export function refusalOf(error: unknown): Refusal | undefined {
  return error instanceof Error ? refusals.get(error) : undefined;
}

export function refusalAnswer(refusal: Refusal): Answer {
  const body = {
    message: refusal.message,
    ...(refusal.errors.length === 0 ? {} : { errors: refusal.errors }),
    documentation_url: DOCUMENTATION,
    status: String(refusal.status),
  };
  return { status: refusal.status, body, headers: refusal.headers };
}
