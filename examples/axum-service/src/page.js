// Reports each exposure once: the service has evaluated some experiments, and the page evaluates them
// again.
window.reports = [];
const seen = new Set();

window.growthbook_config = {
  trackingCallback(experiment, result, user) {
    const { hashAttribute, hashValue, variationId } = result;
    const identity = JSON.stringify([hashAttribute, hashValue, experiment.key, variationId]);
    if (!seen.has(identity)) {
      seen.add(identity);
      const body = JSON.stringify([{ experiment, result, user }]);
      window.reports.push(fetch("/exposures", { method: "POST", keepalive: true, body }));
    }
  },
};

// The SDK calls this when it has the payload.
document.addEventListener("growthbookdata", () => {
  const color = window._growthbook.getFeatureValue("button-color", "blue");
  document.querySelector("button").style.background = color;
});
