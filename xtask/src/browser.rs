//! The test that the JavaScript SDK continues in a browser with the answers of a page.

use crate::run::{cargo, root, run};
use crate::{Result, programs, sdks};

/// The names of the browser's program.
const PROGRAMS: [&str; 4] =
    ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// Installs what is missing, and visits pages of the axum service.
pub(crate) fn browser() -> Result {
    let chromium = programs::obtain(&PROGRAMS, "chromium")?;
    sdks::install_javascript(&root().join("dev/browser/javascript"))?;
    let mut visits = cargo(["run", "--quiet", "--package", "browser"]);
    run(visits.env("CHROMIUM", chromium))
}
