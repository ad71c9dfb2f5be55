/** The value of the series with exactly these labels, in Prometheus text; NaN if there is none. */
export function valueOf(text: string, series: string): number {
  const line = text.split('\n').find((each) => each.startsWith(`${series} `));
  return Number(line?.slice(series.length + 1) ?? Number.NaN);
}
