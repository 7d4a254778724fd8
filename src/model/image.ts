/** Whether an image reference names one content: `name@sha256:` with 64 digits, or sha512 with 128. */
export function isPinnedImage(reference: string): boolean {
  return /@(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/.test(reference);
}
