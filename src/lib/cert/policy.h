/* SPDX-License-Identifier: MIT
 * cert/policy.h: the limits that decide whether a certificate may be trusted.
 */
#ifndef WT_CERT_POLICY_H
#define WT_CERT_POLICY_H

#include "cert/cert.h"

#define WT_RSA_BITS_MIN 2048
#define WT_EC_BITS_MIN 224
#define WT_EXPIRY_WARN_DAYS 90

#endif
