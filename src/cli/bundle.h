/* SPDX-License-Identifier: MIT
 * bundle.h: certificates as .reg, raw value or PEM. */
#ifndef CLI_BUNDLE_H
#define CLI_BUNDLE_H

#include "cli.h"

/** PEM of all certificates in the report, each once, into outcome->export_data.
 *  What is disallowed is left out unless that store was asked for. */
enum wt_status cli_bundle_pem(const struct cli_request *request,
	struct cli_outcome *outcome, struct wt_error *err);

/** PEM of all certificates that were read. */
enum wt_status cli_bundle_certs_pem(const struct cli_request *request,
	struct cli_outcome *outcome, struct wt_error *err);

/** A .reg file, or one raw value, of what the report holds. */
enum wt_status cli_bundle_values(const struct cli_request *request,
	struct cli_outcome *outcome, struct wt_error *err);

/** The same of the certificates that were read. */
enum wt_status cli_bundle_certs_values(const struct cli_request *request,
	struct cli_outcome *outcome, struct wt_error *err);

#endif
