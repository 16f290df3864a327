/* Puts the page together. A part that fails must not take the others with it. */
for (const part of [() => replay(data.replay), curvePlot, latencyPlot, hopsPlot, trafficPlot, groupsPlot]) {
  try { part(); } catch (error) { console.error(error); }
}
