import type { AskedOfImage, ImageVerdict } from '#model/image-verdict.ts';
import { isPortError } from '#ports/port-error.ts';
import { judgeImage } from '#trust/trust.ts';
import { findImageSignatures } from './image-findings.ts';
import type { ImagePorts, ImageQuestion } from './image-findings.ts';

/** Not in its registry, or the judgement of its signatures. */
export type VerifiedImage = ImageVerdict | { readonly kind: 'missing'; readonly sentence: string };

/** One image, by its digest: that it is there, and who signed it. */
export async function verifyImage(ports: ImagePorts, question: ImageQuestion, asked: Omit<AskedOfImage, 'digest'>): Promise<VerifiedImage> {
  try {
    // Its bytes are hashed on the way: a registry that has something else under this name is found out here.
    await ports.registry.manifest(question.repository, question.digest);
    return judgeImage(await findImageSignatures(ports, question), { ...asked, digest: question.digest });
  } catch (error) {
    if (!isPortError(error)) throw error;
    if (error.kind === 'missing') return { kind: 'missing', sentence: error.message };
    return { kind: 'refused', code: 'could-not-look', sentence: error.message };
  }
}
