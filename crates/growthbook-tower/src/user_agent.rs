//! The attributes `browser` and `deviceType`, as the JavaScript SDK finds them.

/// The names of browsers in user agents, with the values of the attribute. The first match wins,
/// because later browsers also name earlier ones.
const BROWSERS: [(&[u8], &str); 4] =
    [(b"Edg", "edge"), (b"Chrome", "chrome"), (b"Firefox", "firefox"), (b"Safari", "safari")];

/// Returns the attribute `browser` for a `User-Agent` header.
pub(crate) fn browser(user_agent: &[u8]) -> &'static str {
    let found = BROWSERS.iter().find(|(name, _)| contains(user_agent, name));
    found.map_or("unknown", |(_, value)| value)
}

/// Returns the attribute `deviceType` for a `User-Agent` header.
pub(crate) fn device_type(user_agent: &[u8]) -> &'static str {
    if contains(user_agent, b"Mobi") { "mobile" } else { "desktop" }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_and_devices_are_recognized() {
        let chrome = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) \
                      Chrome/156.0.0.0 Safari/537.36";
        let android = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) \
                       Chrome/156.0.0.0 Mobile Safari/537.36";
        let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
        let iphone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 \
                      (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1";
        let cases = [
            (chrome, "chrome", "desktop"),
            (&format!("{chrome} Edg/156.0"), "edge", "desktop"),
            (android, "chrome", "mobile"),
            (firefox, "firefox", "desktop"),
            (iphone, "safari", "mobile"),
            ("curl/8.0", "unknown", "desktop"),
            ("", "unknown", "desktop"),
        ];
        for (user_agent, expected_browser, expected_device) in cases {
            assert_eq!(browser(user_agent.as_bytes()), expected_browser, "{user_agent}");
            assert_eq!(device_type(user_agent.as_bytes()), expected_device, "{user_agent}");
        }
    }

    #[test]
    fn user_agent_may_have_any_bytes() {
        assert_eq!(browser(b"\xff\x00Firefox"), "firefox");
        assert_eq!(browser(&vec![b'F'; 100_000]), "unknown");
    }
}
