/**
 * A tracks.csv of the shape of the tutorial's: who listened to which track when, from where. Its ids crowd at the low end as there; the same
 * seed gives the same file everywhere.
 */

const CUSTOMERS = 5000;
const TRACKS = 1698;
/** The first customer has 0.7 % of the rows. */
const CUSTOMER_SKEW = 1.716;
/** The median track is 437. */
const TRACK_SKEW = 1.958;
const FROM = Date.UTC(2014, 9, 1) / 1000;
const SECONDS = 91 * 24 * 3600;
const MOBILE = 0.6;

/** A xorshift generator: numbers from 0 up to 1, the same in every run. */
function numbers(seed: number): () => number {
  let state = (Math.imul(seed, 0x9e3779b1) ^ 0x2545f491) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state = (state ^ (state << 5)) >>> 0;
    return state / 2 ** 32;
  };
}

export function tracksCsv(rows: number, seed: number): string {
  const next = numbers(seed);
  const skewed = (count: number, skew: number): number => Math.floor(count * next() ** skew);
  const lines = Array.from({ length: rows }, (_, id) => {
    const customer = skewed(CUSTOMERS, CUSTOMER_SKEW);
    const track = skewed(TRACKS, TRACK_SKEW);
    const at = new Date((FROM + Math.floor(next() * SECONDS)) * 1000).toISOString();
    const mobile = next() < MOBILE ? 1 : 0;
    const zip = String(501 + Math.floor(next() * 99450)).padStart(5, '0');
    return `${String(id)},${String(customer)},${String(track)},"${at.slice(0, 10)} ${at.slice(11, 19)}",${String(mobile)},"${zip}"\n`;
  });
  return lines.join('');
}
