//! The machine, the compiler and the day of the measurement.

use std::fs;
use std::process::Command;
use std::thread;

/// Returns a sentence about the day, the compiler and the machine.
pub fn describe() -> String {
    let cores = thread::available_parallelism().map_or(0, usize::from);
    let today = jiff::Timestamp::now().strftime("%Y-%m-%d");
    let processor = processor().unwrap_or_else(|| "an unknown processor".into());
    let compiler = compiler().unwrap_or_else(|| "an unknown rustc".into());
    format!("Measured on {today} with {compiler}, on {cores} cores of {processor}.\n")
}

fn processor() -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn compiler() -> Option<String> {
    let output = Command::new("rustc").arg("--version").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let mut words = text.split_whitespace();
    Some(format!("{} {}", words.next()?, words.next()?))
}

/// Returns the resident memory of this process, in bytes.
pub fn resident_memory() -> Option<f64> {
    let text = fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find(|line| line.starts_with("VmRSS"))?;
    let kilobytes: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1024.0)
}

/// Returns the versions of these packages in a lock file.
pub fn locked_versions(lock_file: &str, packages: &[&str]) -> Vec<(String, String)> {
    let version = |package: &&str| {
        let entry = lock_file.split_once(&format!("name = \"{package}\"\nversion = \""))?.1;
        Some(((*package).to_owned(), entry.split_once('"')?.0.to_owned()))
    };
    packages.iter().filter_map(version).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_by_the_whole_name() {
        let lock_file = "[[package]]\nname = \"serde_json\"\nversion = \"1.0.1\"\n\n\
            [[package]]\nname = \"serde\"\nversion = \"1.0.2\"\n";
        let expected = vec![("serde".to_owned(), "1.0.2".to_owned())];
        assert_eq!(locked_versions(lock_file, &["serde", "unknown"]), expected);
    }
}
