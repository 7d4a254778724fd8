import type { RenderUnit, UnitResult } from '#model/rendering.ts';

/** Renders units in worker threads under limits (time, output size, memory). A unit that breaks a limit is a problem, never a crash. */
export interface Renderer {
  render(units: readonly RenderUnit[], signal?: AbortSignal): Promise<readonly UnitResult[]>;
  counts(): { readonly renders: number };
  close(): Promise<void>;
}
