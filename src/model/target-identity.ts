import type { TargetDeclaration } from '#model/desired.ts';

/** What makes targets of two environments the same: driver with credentials, with a path, or with a fleet. One in common is enough. */
export function targetIdentities({ driver, credentials, path, fleet }: TargetDeclaration): readonly string[] {
  return [
    ...(credentials === undefined ? [] : [`${driver} credentials ${credentials}`]),
    ...(path === undefined ? [] : [`${driver} path ${normalised(path)}`]),
    ...(fleet === undefined ? [] : [`${driver} fleet ${fleet}`]),
  ];
}

function normalised(path: string): string {
  return path
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/');
}
