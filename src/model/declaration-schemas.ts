import type { JsonObject } from '#model/json.ts';
import capsule from '#schemas/capsule.schema.json' with { type: 'json' };
import configuration from '#schemas/configuration.schema.json' with { type: 'json' };
import device from '#schemas/device.schema.json' with { type: 'json' };
import environmentLock from '#schemas/environment-lock.schema.json' with { type: 'json' };
import environment from '#schemas/environment.schema.json' with { type: 'json' };
import fleet from '#schemas/fleet.schema.json' with { type: 'json' };
import policy from '#schemas/policy.schema.json' with { type: 'json' };
import project from '#schemas/project.schema.json' with { type: 'json' };

export type DeclarationKind = 'Project' | 'Environment' | 'EnvironmentLock' | 'Capsule' | 'Policy' | 'Fleet' | 'Device' | 'Configuration';

export const API_VERSION = 'capstan.dev/v1alpha1';

/** The JSON Schema of every kind, as published in schemas/. */
export const DECLARATION_SCHEMAS: Readonly<Record<DeclarationKind, JsonObject>> = {
  Project: project,
  Environment: environment,
  EnvironmentLock: environmentLock,
  Capsule: capsule,
  Policy: policy,
  Fleet: fleet,
  Device: device,
  Configuration: configuration,
};
