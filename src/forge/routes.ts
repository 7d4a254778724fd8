import type { Route } from './call.ts';
import { APP_ROUTES } from './routes-apps.ts';
import { CHECK_ROUTES } from './routes-checks.ts';
import { COMMIT_ROUTES } from './routes-commits.ts';
import { CONTENT_ROUTES } from './routes-contents.ts';
import { GIT_DATABASE_ROUTES } from './routes-git-database.ts';
import { HOOK_ROUTES } from './routes-hooks.ts';
import { ISSUE_ROUTES } from './routes-issues.ts';
import { MERGE_ROUTES } from './routes-merge.ts';
import { PROTECTION_ROUTES } from './routes-protection.ts';
import { PULL_ROUTES } from './routes-pulls.ts';
import { REFERENCE_ROUTES } from './routes-references.ts';
import { REPOSITORY_ROUTES } from './routes-repositories.ts';
import { REVIEW_ROUTES } from './routes-reviews.ts';
import { STATUS_ROUTES } from './routes-statuses.ts';
import { USER_ROUTES } from './routes-users.ts';

/** Every REST path the forge answers; docs/forge.md lists the same. */
export const ROUTES: readonly Route[] = [
  ...USER_ROUTES,
  ...REPOSITORY_ROUTES,
  ...REFERENCE_ROUTES,
  ...CONTENT_ROUTES,
  ...COMMIT_ROUTES,
  ...GIT_DATABASE_ROUTES,
  ...PROTECTION_ROUTES,
  ...PULL_ROUTES,
  ...MERGE_ROUTES,
  ...REVIEW_ROUTES,
  ...ISSUE_ROUTES,
  ...STATUS_ROUTES,
  ...CHECK_ROUTES,
  ...HOOK_ROUTES,
  ...APP_ROUTES,
];
