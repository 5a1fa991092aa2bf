
it("is small", () => {
  const dist = new URL("../../dist/", import.meta.url).pathname;
  const files = ["index.html", ...readdirSync(`${dist}assets`).map((name) => `assets/${name}`)];
  const sizes = files.map((name) => [name, gzipSync(readFileSync(dist + name), { level: 9 }).length / 1000] as const);
  const first = sizes.filter(([name]) => !/where|embed/.test(name)).reduce((sum, [, size]) => sum + size, 0);
  const all = sizes.reduce((sum, [, size]) => sum + size, 0);
  console.log(`compressed: ${all.toFixed(1)} kB in all, ${first.toFixed(1)} kB before the first picture; aim ${AIM_KB}`);
  expect(all).toBeLessThan(MOST_KB);
});
