//! The example for devices, run by an emulator.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::run::{cargo, output, root, run};
use crate::{Result, corpus, programs, targets};

const TARGET: &str = "thumbv7em-none-eabi";

/// The emulator, and the Debian package that contains it.
const EMULATOR: &str = "qemu-system-arm";

/// A board with the processor Cortex-M4. The firmware reads and writes the console of the emulator.
const MACHINE: &str = "-machine mps2-an386 -nographic -monitor none -serial none \
                       -semihosting-config enable=on,target=native -kernel";

/// The most bytes of heap that twenty flags and a user may take.
const HEAP_LIMIT: usize = 64 * 1024;

/// The cases of the official corpus that the device answers. Others have contexts with more members
/// than attributes, or ask for more than evaluation.
const CASES: &str = "833";

/// Runs the firmware, compares its answers with those of a native program, and prints the memory
/// that it takes.
pub(crate) fn check() -> Result {
    targets::add_missing()?;
    let emulator = programs::obtain(&[EMULATOR], EMULATOR)?;
    let mut clippy = cargo(["clippy", "--quiet", "--package", "firmware", "--target", TARGET]);
    run(clippy.args(["--", "--deny", "warnings"]))?;
    flags(&emulator, &build(&["--no-default-features"])?.join("flags"))?;

    // Some cases of the corpus need regular expressions.
    let program = build(&["--features", "full"])?.join("corpus");
    let corpora = corpus::obtain()?;
    let command = format!("{} {MACHINE} {}", emulator.display(), program.display());
    let mut tests = cargo(["run", "--quiet", "--package", "spec-tests", "--"]);
    run(tests.args(["--command", &command, "--at-least", CASES]).arg(&corpora.official))
}

/// Builds the programs with these features, and returns their folder.
pub(crate) fn build(features: &[&str]) -> Result<PathBuf> {
    let mut build = cargo(["build", "--quiet", "--package", "firmware", "--bins"]);
    run(build.args(["--target", TARGET, "--profile", "small"]).args(features))?;
    Ok(root().join("target").join(TARGET).join("small"))
}

/// Evaluates twenty flags in the emulator and in a native program.
fn flags(emulator: &Path, program: &Path) -> Result {
    let mut emulated = Command::new(emulator);
    let on_device = output(emulated.args(MACHINE.split_whitespace()).arg(program))?;
    let native = output(&mut cargo(["run", "--quiet", "--package", "firmware", "--bin", "flags"]))?;
    let answers = |text: &str| -> Vec<String> {
        text.lines().filter(|line| !line.starts_with("heap: ")).map(str::to_owned).collect()
    };
    if answers(&native).is_empty() || answers(&on_device) != answers(&native) {
        println!("native:\n{native}\non the device:\n{on_device}");
        return Err("the answers on the device are not those of a native program".into());
    }
    println!("{} answers are the same on the device", answers(&native).len());
    let measured: Vec<&str> = on_device.lines().filter(|it| it.starts_with("heap: ")).collect();
    println!("{}", measured.join("\n"));
    println!("flash: {} bytes", flash(program)?);
    let peak = measured.first().and_then(|line| line.split(' ').nth(1)?.parse::<usize>().ok());
    match peak {
        Some(peak) if peak <= HEAP_LIMIT => Ok(()),
        _ => Err(format!("the device needs more than {HEAP_LIMIT} bytes of heap").into()),
    }
}

/// Returns the bytes of a program that are kept in flash: the segments of the ELF file that are
/// loaded.
pub(crate) fn flash(program: &Path) -> Result<usize> {
    const PROGRAM_HEADERS: usize = 28;
    const HEADER_SIZE: usize = 42;
    const HEADER_COUNT: usize = 44;
    const SIZE_IN_FILE: usize = 16;
    const LOADED: usize = 1;

    let file = fs::read(program)?;
    let number = |start: usize, length: usize| -> Result<usize> {
        let bytes = file.get(start..start + length).ok_or("the ELF file is cut off")?;
        Ok(bytes.iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte)))
    };
    let start = number(PROGRAM_HEADERS, 4)?;
    let (size, count) = (number(HEADER_SIZE, 2)?, number(HEADER_COUNT, 2)?);
    let mut bytes = 0;
    for header in (0..count).map(|index| start + index * size) {
        if number(header, 4)? == LOADED {
            bytes += number(header + SIZE_IN_FILE, 4)?;
        }
    }
    Ok(bytes)
}
