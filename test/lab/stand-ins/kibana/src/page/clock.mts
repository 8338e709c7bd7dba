/** Points in time as the page writes them. */

export const instantText = (time: number): string => new Date(time).toISOString().slice(0, 19).replace('T', ' ');

/** As much of it as tells the marks of an axis apart. */
export function tickText(time: number, width: number): string {
  const text = new Date(time).toISOString();
  if (width >= 86_400_000) return text.slice(0, 10);
  return width >= 60_000 ? text.slice(11, 16) : text.slice(11, 19);
}
