/** The web server's configuration, of Caddy with PHP in it. */
export const caddyfile = (root: string): string => `{
	admin off
	auto_https off
	persist_config off
	frankenphp
	servers {
		trusted_proxies static private_ranges
	}
}

:{$PORT:80} {
	root * ${root}
	encode zstd br gzip
	@hidden {
		path */.*
		not path /.well-known/*
	}
	respond @hidden 404
	php_server
}
`;

export const phpIni = `display_errors = Off
log_errors = On
error_log = /dev/stderr
expose_php = Off
memory_limit = 256M
upload_max_filesize = 64M
post_max_size = 64M
opcache.enable = 1
opcache.validate_timestamps = 0
variables_order = EGPCS
`;

/** Laravel caches its configuration when it starts, because only then the variables are there. */
export const startScript = `#!/bin/sh
set -e
if [ "$IS_LARAVEL" = "true" ]; then
  if [ "$RAILPACK_SKIP_MIGRATIONS" != "true" ]; then
    php artisan migrate --force
  fi
  php artisan storage:link --force
  php artisan optimize
fi
exec frankenphp run --config /Caddyfile --adapter caddyfile
`;
