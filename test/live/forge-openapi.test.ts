import { expect, it } from 'vitest';

import { generateFromRegistry } from '#test/forge/generate-openapi.ts';
import { DESCRIPTION } from '#test/forge/github-answers.ts';

it("keeps the extract of GitHub's description that the newest @octokit/openapi gives", () => {
  const fresh = generateFromRegistry();

  expect({ ...fresh, generated: DESCRIPTION.generated }).toEqual(DESCRIPTION);
});
