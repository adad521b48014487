//! The addresses of the API.

use url::Url;

use super::ApiError;

/// Returns the address of a path of the API. The host may end with `/api`, as GrowthBook's docs write
/// it.
pub(super) fn address(host: &str, path: &str) -> Result<Url, ApiError> {
    let host = host.trim();
    if !host.starts_with("http://") && !host.starts_with("https://") {
        return Err(ApiError::Host);
    }
    let mut url = Url::parse(host).map_err(|_| ApiError::Host)?;
    let has_more = url.query().is_some() || url.fragment().is_some();
    let has_user = !url.username().is_empty() || url.password().is_some();
    if has_more || has_user {
        return Err(ApiError::Host);
    }
    let base = url.path().trim_end_matches('/');
    let base = base.strip_suffix("/api").unwrap_or(base);
    let path = format!("{base}/api/{path}");
    url.set_path(&path);
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_may_end_with_the_path_of_the_api() {
        for host in ["https://gb.example", "https://gb.example/", " https://gb.example/api// "] {
            let address = address(host, "v2/features").unwrap();
            assert_eq!(address.as_str(), "https://gb.example/api/v2/features");
        }
    }

    #[test]
    fn other_text_is_refused() {
        let hosts = [
            "gb.example",
            "",
            "ftp://gb.example",
            "https://",
            "https://a?b",
            "https://u:p@a",
            "https://a#b",
        ];
        for host in hosts {
            assert!(address(host, "v2/features").is_err(), "{host}");
        }
    }
}
