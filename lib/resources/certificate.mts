/** A certificate that is not valid at this time: how OpenSSL, GnuTLS and NSS call it, whether it is the certificate or the clock that is wrong. */
import { quote } from '../shell/quote.mts';

const WORDS = ['not yet valid', 'not yet activated', 'expired'] as const;

export const isNotValidNow = (reason: string): boolean => WORDS.some((words) => reason.includes(words));

/** The same as a pattern of sh's `case`. */
export const NOT_VALID_NOW = WORDS.map((words) => `*${quote(words)}*`).join('|');
