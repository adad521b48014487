//! The features server.

use std::time::Duration;

use growthbook::Client;
use growthbook_test::server::Reply;
use growthbook_test::{TestClient, flags};

const PATIENCE: Duration = Duration::from_secs(30);

#[test]
fn client_gets_the_flags_from_the_server() {
    let server = flags().on("checkout").serve();
    server.script_features([Reply::close()]);
    let client = Client::builder("sdk-test").api_host(server.url()).start().unwrap();
    let client = TestClient::new(client).strict();
    client.wait_ready(PATIENCE).unwrap();
    assert!(client.for_user("u").is_on("checkout"));
    client.recorder().assert_evaluated("checkout");
}
