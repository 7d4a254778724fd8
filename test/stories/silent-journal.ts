import type { Journal } from '#ports/machine.ts';

export const silentJournal: Journal = { info() {}, warn() {}, debug() {}, error() {} };
