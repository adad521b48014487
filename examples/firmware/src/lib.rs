//! GrowthBook's core on a microcontroller without an operating system.
//!
//! The parts are the same on the device and on the host, except for the console and the heap:
//! [`flags`] is the application, [`questions`] answers cases of the conformance corpus.

#![cfg_attr(target_os = "none", no_std)]

extern crate alloc;

#[cfg_attr(target_os = "none", path = "console/semihosting.rs")]
#[cfg_attr(not(target_os = "none"), path = "console/host.rs")]
pub mod console;
pub mod flags;
#[cfg_attr(target_os = "none", path = "heap/device.rs")]
#[cfg_attr(not(target_os = "none"), path = "heap/host.rs")]
pub mod heap;
pub mod questions;
