//! The application: twenty flags, and devices that ask for them.

use core::fmt::{self, Write};

use growthbook_core::{Payload, UserContext};
use serde_json::Value;

/// The definitions of the flags. A device gets them with its settings, or reads them from its flash.
pub const PAYLOAD: &str = include_str!("../flags.json");

/// The keys of the flags.
pub const KEYS: [&str; 20] = [
    "telemetry",
    "beep-on-error",
    "report-interval-seconds",
    "log-level",
    "night-mode",
    "fast-charging",
    "new-bootloader",
    "eco-heating",
    "display-brightness",
    "sensor-filter",
    "radio-channels",
    "retry",
    "beta-protocol",
    "delta-updates",
    "low-power-radio",
    "alarm-melody",
    "sleep-minutes",
    "wake-gesture",
    "remote-unlock",
    "lab-menu",
];

const DEVICES: u32 = 4;

/// Writes the value of each flag for some devices.
pub fn write_answers(output: &mut impl Write) -> fmt::Result {
    let payload = Payload::from_json(PAYLOAD).map_err(|_| fmt::Error)?;
    let snapshot = payload.compile();
    for number in 1..=DEVICES {
        let device = device(number);
        let gb = snapshot.for_user(&device);
        for key in KEYS {
            let value = gb.feature_value(key, Value::Null);
            writeln!(output, "device-{number} {key} {value}")?;
        }
    }
    Ok(())
}

fn device(number: u32) -> UserContext {
    UserContext::new(alloc::format!("device-{number}"))
        .attribute("model", if number.is_multiple_of(2) { "probe-1" } else { "probe-2" })
        .attribute("firmware", if number < 3 { "2.3.9" } else { "2.10.0" })
        .attribute("region", if number < 2 { "de" } else { "no" })
        .attribute("network", "radio")
        .attribute("battery", number * 20)
        .attribute("tags", ["battery"])
}
