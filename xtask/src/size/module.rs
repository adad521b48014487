//! A WebAssembly module: what it consists of.
//!
//! The [binary format](https://webassembly.github.io/spec/core/binary/modules.html) is a list of
//! sections. A tool such as twiggy would also read it, but it does not add up the copies of a generic
//! function.

use std::collections::BTreeMap;
use std::fmt;

use rustc_demangle::demangle;

use crate::Result;

/// The magic number and the version.
const HEADER: usize = 8;

/// The kinds of sections that are read here.
const CUSTOM: u8 = 0;
const IMPORT: u8 = 2;
const CODE: u8 = 10;
const DATA: u8 = 11;

/// The custom section of names, and the list of function names in it.
const NAMES: &[u8] = b"name";
const FUNCTION_NAMES: u8 = 1;

/// The name of the part that consists of constants and texts.
const CONSTANTS: &str = "constants and texts";

/// A module without its names and debug information, and its parts.
pub(super) struct Module {
    /// What a program loads.
    pub(super) stripped: Vec<u8>,
    /// The largest part first.
    pub(super) parts: Vec<Part>,
}

/// The constants, or the copies of a function.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Part {
    pub(super) name: String,
    pub(super) copies: usize,
    pub(super) bytes: usize,
}

impl fmt::Display for Part {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:>8}  {:>3} x  {}", self.bytes, self.copies, self.name)
    }
}

impl Module {
    /// Reads a module that has names.
    ///
    /// # Errors
    ///
    /// When the bytes are not a module.
    pub(super) fn read(bytes: &[u8]) -> Result<Self> {
        let mut module = Reader(bytes);
        let mut stripped = module.take(HEADER)?.to_vec();
        let (mut imports, mut sizes, mut names) = (0, Vec::new(), BTreeMap::new());
        let mut constants = 0;
        while !module.0.is_empty() {
            let start = module.0;
            let kind = module.byte()?;
            let length = module.number()?;
            let mut section = Reader(module.take(length)?);
            match kind {
                CUSTOM => {
                    let length = section.number()?;
                    if section.take(length)? == NAMES {
                        names = function_names(section)?;
                    }
                    continue;
                }
                // Imported functions come first in the numbering. The example imports nothing else.
                IMPORT => imports = section.number()?,
                CODE => sizes = function_sizes(section)?,
                DATA => constants = length,
                _ => {}
            }
            let rest = module.0.len();
            stripped.extend_from_slice(start.get(..start.len() - rest).ok_or(CUT_OFF)?);
        }
        let functions = sizes.into_iter().enumerate();
        let functions = functions.map(|(index, size)| {
            let name = names.get(&(imports + index)).map_or("without a name", String::as_str);
            // The alternate form leaves out the hashes that distinguish copies.
            (format!("{:#}", demangle(name)), size)
        });
        let constants = (CONSTANTS.to_owned(), constants);
        Ok(Module { stripped, parts: parts(functions.chain([constants])) })
    }
}

/// Adds up the copies of each function.
fn parts(functions: impl Iterator<Item = (String, usize)>) -> Vec<Part> {
    let mut by_name: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for (name, size) in functions {
        let (copies, bytes) = by_name.entry(name).or_default();
        *copies += 1;
        *bytes += size;
    }
    let parts = by_name.into_iter();
    let mut parts: Vec<Part> =
        parts.map(|(name, (copies, bytes))| Part { name, copies, bytes }).collect();
    parts.sort_by_key(|part| std::cmp::Reverse(part.bytes));
    parts
}

fn function_sizes(mut section: Reader<'_>) -> Result<Vec<usize>> {
    let count = section.number()?;
    let mut sizes = Vec::new();
    for _ in 0..count {
        let length = section.number()?;
        section.take(length)?;
        sizes.push(length);
    }
    Ok(sizes)
}

/// Returns the names of the functions by number.
fn function_names(mut section: Reader<'_>) -> Result<BTreeMap<usize, String>> {
    let mut names = BTreeMap::new();
    while !section.0.is_empty() {
        let kind = section.byte()?;
        let length = section.number()?;
        let mut list = Reader(section.take(length)?);
        if kind == FUNCTION_NAMES {
            for _ in 0..list.number()? {
                let function = list.number()?;
                let length = list.number()?;
                names.insert(function, String::from_utf8_lossy(list.take(length)?).into_owned());
            }
        }
    }
    Ok(names)
}

const CUT_OFF: &str = "the WebAssembly module is cut off";

/// The bytes that are left.
struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    fn take(&mut self, length: usize) -> Result<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(CUT_OFF)?;
        self.0 = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8> {
        Ok(self.take(1)?[0])
    }

    /// Reads a number: seven bits in each byte, the lowest ones first.
    fn number(&mut self) -> Result<usize> {
        let mut number = 0;
        for shift in (0..usize::BITS).step_by(7) {
            let byte = self.byte()?;
            number |= usize::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err("a number of the WebAssembly module is too large".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A module with two copies of a function, another function, and constants.
    fn module() -> (Vec<u8>, Vec<u8>) {
        let section = |kind: u8, content: &[u8]| {
            let mut section = vec![kind, 0x80 | content.len() as u8, (content.len() >> 7) as u8];
            section.extend_from_slice(content);
            section
        };
        let names = ["_ZN1f17h0123456789abcdefE", "_ZN1f17hffffffffffffffffE", "g"];
        let mut list = vec![3];
        for (number, name) in names.iter().enumerate() {
            list.extend([1 + number as u8, name.len() as u8]);
            list.extend_from_slice(name.as_bytes());
        }
        let header = b"\0asm\x01\0\0\0".to_vec();
        let kept = [
            section(IMPORT, &[1]),
            section(CODE, &[3, 2, 0, 0, 4, 0, 0, 0, 0, 1, 0]),
            section(DATA, &[0; 5]),
        ];
        let names = section(CUSTOM, &[&[4], NAMES, &section(FUNCTION_NAMES, &list)].concat());
        let stripped = [header.clone(), kept.concat()].concat();
        ([header, names, kept.concat()].concat(), stripped)
    }

    #[test]
    fn copies_of_a_function_are_added_up() {
        let (bytes, stripped) = module();
        let module = Module::read(&bytes).unwrap();
        let part = |name: &str, copies, bytes| Part { name: name.into(), copies, bytes };
        assert_eq!(module.parts, [part("f", 2, 6), part(CONSTANTS, 1, 5), part("g", 1, 1)]);
        assert_eq!(module.stripped, stripped);
    }

    #[test]
    fn module_that_is_cut_off_is_an_error() {
        let (bytes, _) = module();
        for length in [HEADER - 1, HEADER + 1, bytes.len() - 1] {
            assert!(Module::read(&bytes[..length]).is_err(), "{length}");
        }
    }
}
