use growthbook_core::AttributeSource;

#[derive(AttributeSource)]
struct Session {
    #[growthbook(hidden)]
    id: u64,
}

fn main() {}
