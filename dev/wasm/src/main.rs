//! Prints the answers of a native program.

fn main() {
    print!("{}", wasm::answers());
}
