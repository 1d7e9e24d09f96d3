/* SPDX-License-Identifier: MIT
 * wimtrust.h: trusted root certificates in offline Windows boot images. */
#ifndef WIMTRUST_WIMTRUST_H
#define WIMTRUST_WIMTRUST_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wimtrust/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The version of this header. wt_versions() has that of the library. */
#define WT_VERSION_MAJOR 0
#define WT_VERSION_MINOR 1
#define WT_VERSION_PATCH 0

/*
 * Processes, threads and signals
 *
 * The wt_target_ calls fork. Child processes parse hives and WIMs and copy
 * files. They end with the call, and also if the caller is killed. The library
 * waits for each by its process number. A caller may ignore SIGCHLD, or reap
 * the children in its own handler.
 *
 * Several threads may call at once, each with its own lists, options and
 * report. A child inherits the locks that other threads hold at the moment of
 * the fork. The C library handles those of malloc() and stdio, but not all
 * (iconv, locales). So keep other threads out of such work during a call, or
 * call from a process with one thread. If a child hangs for this reason, the
 * library kills it after some minutes (one that rebuilds or copies only when
 * the call is cancelled), the call fails with the code "hive-crash" or
 * "wim-crash", and nothing is changed.
 *
 * While the library publishes a file, the kernel may send SIGURG to the
 * process. It is ignored unless there is a handler (see leases in fcntl(2)).
 */

/*
 * NULL
 *
 * A pointer must not be NULL unless its function says that it may be. These
 * always may: err, ctx, cancel, an array whose count is 0, and options, where
 * NULL means the defaults. A function that returns an enum wt_status answers
 * any other NULL with WT_ERR_USAGE (bad-argument) and does nothing. The others
 * do nothing, and return NULL, 0 or false. Freeing NULL does nothing.
 */

/*
 * Certificates
 */

#define WT_SHA1_LEN 20
#define WT_SHA1_HEX_LEN 40
#define WT_SHA256_LEN 32
#define WT_SHA256_HEX_LEN 64
/** The longest registry value that can be written into a hive, in bytes. */
#define WT_BLOB_MAX 16344
/** The longest registry value that is written without a warning, in bytes. */
#define WT_BLOB_LARGE 12288

/** A certificate, and what a registry value or store file said about it. */
struct wt_cert;

/** A property of a registry value that limits the trust in a certificate. */
struct wt_limit {
	/** 0x09, 0x68, 0x7A, 0x7E, 0x7F or 0x80, see docs/format.md */
	unsigned property;
	const char *usages; /**< names, comma-separated; NULL for a time */
	bool has_time;	    /**< false: a list, or from always on */
	int64_t time;	    /**< seconds since 1970, UTC */
};

/** What is in a certificate. Strings belong to the certificate. */
struct wt_cert_info {
	const uint8_t *der;
	size_t der_len;
	char sha1[WT_SHA1_HEX_LEN + 1];	    /**< upper-case: the thumbprint */
	char sha256[WT_SHA256_HEX_LEN + 1]; /**< upper-case */
	const char *subject;		    /**< RFC 2253, UTF-8 */
	const char *issuer;		    /**< RFC 2253, UTF-8 */
	const char *serial;		    /**< upper-case hex */
	int64_t not_before;		    /**< seconds since 1970, UTC */
	int64_t not_after;		    /**< seconds since 1970, UTC */
	const char *key;		    /**< "RSA 4096", "EC P-256" */
	unsigned key_bits;
	const char *signature; /**< "sha256WithRSAEncryption" */
	const char *source;    /**< where it was read: "bundle.pem, certificate
				*   2 (line 21)" */
	bool is_self_signed;   /**< issued by itself, signature verified */
	/** is_self_signed goes by the names; this one's own signature does not
	 *  verify. */
	bool has_bad_signature;
	bool is_ca; /**< may issue certificates */
	/* What the registry value or store file added; NULL when it did not */
	const char *friendly_name; /**< property 0x0B, UTF-8 */
	const char *usages;	   /**< property 0x09: names, comma-separated */
	const struct wt_limit *limits; /**< all of them, by property */
	size_t limit_count;
	const char *limits_text; /**< the same in words; NULL for none */
	const uint8_t *blob;	 /**< the value as it was read */
	size_t blob_len;
};

/** Borrowed from cert; valid as long as it is. */
WT_API const struct wt_cert_info *wt_cert_info(const struct wt_cert *cert);

/** What an address in a certificate leads to. */
enum wt_address {
	WT_ADDRESS_CRL,	   /**< whether it was revoked: a list */
	WT_ADDRESS_OCSP,   /**< whether it was revoked: an answer */
	WT_ADDRESS_ISSUER, /**< its issuer's certificate */
};

/** The most addresses of one certificate that are given. */
#define WT_ADDRESSES_MAX 32

/** @param uri  valid during the call; UTF-8 */
typedef void wt_address_fn(void *ctx, enum wt_address kind, const char *uri);

/** Calls emit for each address that the certificate gives. */
WT_API enum wt_status wt_cert_addresses(const struct wt_cert *cert,
	wt_address_fn *emit, void *ctx, struct wt_error *err);

/** A growing list of certificates, each once (by SHA-256 of its DER). */
struct wt_cert_list;

WT_API enum wt_status wt_cert_list_new(
	struct wt_cert_list **ret_list, struct wt_error *err);
WT_API void wt_cert_list_free(struct wt_cert_list *list);
WT_API size_t wt_cert_list_count(const struct wt_cert_list *list);
/** Borrowed from list; index is below wt_cert_list_count(). */
WT_API const struct wt_cert *wt_cert_list_get(
	const struct wt_cert_list *list, size_t index);
/** How many notes the reading left, "3 other keys skipped" and the like. */
WT_API size_t wt_cert_list_note_count(const struct wt_cert_list *list);
WT_API const char *wt_cert_list_note(
	const struct wt_cert_list *list, size_t index);

/**
 * Should the notes name each skipped key and value of a .reg file? If not, they
 * count them. This has no effect on what was read before.
 */
WT_API void wt_cert_list_name_skipped(
	struct wt_cert_list *list, bool names_skipped);

/**
 * What ends the reading of files into this list (with WT_INTERRUPTED), also
 * while it waits for standard input or a FIFO.
 *
 * @param cancel  as in struct wt_options; borrowed; NULL for none
 */
WT_API void wt_cert_list_cancel_with(
	struct wt_cert_list *list, const volatile sig_atomic_t *cancel);

/**
 * Should reading go on after a certificate that is refused? If not (false), a
 * file or folder with one such certificate fails, and none of it is added. In
 * both cases it is read to its end, and every refusal is listed.
 */
WT_API void wt_cert_list_keep_going(
	struct wt_cert_list *list, bool keeps_going);

/** Should reading a folder include its subfolders? False by default. */
WT_API void wt_cert_list_recurse(struct wt_cert_list *list, bool is_recursive);

/** How many certificates, or files of them, could not be taken. */
WT_API size_t wt_cert_list_refused_count(const struct wt_cert_list *list);
/** Why, the object being the file and the place in it; borrowed from list. */
WT_API const struct wt_error *wt_cert_list_refused(
	const struct wt_cert_list *list, size_t index);

/** A file that was read. */
struct wt_cert_file {
	const char *path;
	size_t cert_count;    /**< certificates in it, each time it holds one */
	size_t refused_count; /**< what could not be taken */
};

WT_API size_t wt_cert_list_file_count(const struct wt_cert_list *list);
/** In the order that they were read in; borrowed from list. */
WT_API const struct wt_cert_file *wt_cert_list_file(
	const struct wt_cert_list *list, size_t index);

/**
 * Reads every certificate that path holds and adds it to list.
 *
 * @param path  a file, a folder (every file in it that holds certificates),
 *              or "-" for standard input. The kind is told by content: PEM,
 *              DER, PKCS#7, serialized store (.sst), registry export (.reg),
 *              or a raw registry value. Each file is parsed in a process of
 *              its own, which is locked in as those that parse a target.
 * @return WT_ERR_CERT when there is no certificate or the input is malformed,
 *         WT_ERR_FILE when it cannot be read; list is unchanged then.
 */
WT_API enum wt_status wt_cert_list_read(
	struct wt_cert_list *list, const char *path, struct wt_error *err);

/**
 * Reads what a TLS server sends, as wt_cert_list_read() does, but leaves out a
 * bad certificate with a note, because the chain may not need it. It does not
 * verify signatures; wt_target_check() verifies those that it needs.
 *
 * @return WT_ERR_CERT also when no good certificate is left, or when there are
 *         more certificates than a server can send (chain-too-long)
 */
WT_API enum wt_status wt_cert_list_read_chain(
	struct wt_cert_list *list, const char *path, struct wt_error *err);

/**
 * As wt_cert_list_read_chain(), but asks the TLS server itself. The library
 * does not trust the answer.
 *
 * @param server   HOST, HOST:PORT, an IPv4 address, or an IPv6 address, in
 *                 brackets where a port follows; port 443 without one
 * @param name     the name to ask for (SNI); NULL for that of server
 * @param seconds  for all of it
 * @param cancel   NULL, or not 0 to stop
 * @return WT_ERR_USAGE (bad-host), WT_ERR_FILE (connect-name, connect-failed,
 *         connect-timeout, connect-tls), WT_INTERRUPTED, and as
 *         wt_cert_list_read_chain()
 */
WT_API enum wt_status wt_cert_list_fetch(struct wt_cert_list *list,
	const char *server, const char *name, unsigned seconds,
	const volatile sig_atomic_t *cancel, struct wt_error *err);

/** The host in server, as wt_target_check() takes it. */
WT_API enum wt_status wt_server_host(
	const char *server, char ret_host[256], struct wt_error *err);

/** As wt_cert_list_read(), from memory; object names the input in messages. */
WT_API enum wt_status wt_cert_list_read_memory(struct wt_cert_list *list,
	const void *data, size_t data_len, const char *object,
	struct wt_error *err);

/** A certificate store of Windows. */
enum wt_store {
	WT_STORE_AUTO = 0, /**< AuthRoot or CA, as the certificate says */
	WT_STORE_AUTHROOT,
	WT_STORE_ROOT,
	WT_STORE_CA,
	WT_STORE_TRUSTEDPUBLISHER,
	WT_STORE_TRUSTEDPEOPLE,
	WT_STORE_DISALLOWED,
	WT_STORE_COUNT,
};

/** The key's name as Windows spells it ("AuthRoot"); "auto" for AUTO. */
WT_API const char *wt_store_name(enum wt_store store);
/** Case does not matter. @return false when there is no such store. */
WT_API bool wt_store_from_name(const char *name, enum wt_store *ret_store);

/** Refusals that can be overridden, one bit each. */
enum wt_allow {
	WT_ALLOW_EXPIRED = 1 << 0,
	WT_ALLOW_NOT_YET_VALID = 1 << 1,
	WT_ALLOW_WEAK_KEY = 1 << 2,
	WT_ALLOW_NOT_CA = 1 << 3,
	WT_ALLOW_BAD_SIGNATURE = 1 << 4,
};

/**
 * May this certificate be trusted, and in which store does it belong?
 *
 * @param store      WT_STORE_AUTO, or the store that was asked for
 * @param allow      enum wt_allow bits
 * @param now        seconds since 1970
 * @param ret_store  never WT_STORE_AUTO
 * @param ret_why    one line: why this store; borrowed static text; may be
 *                   NULL
 * @return WT_ERR_CERT when it is refused, with the code and the remedy
 */
WT_API enum wt_status wt_cert_policy(const struct wt_cert *cert,
	enum wt_store store, unsigned allow, int64_t now,
	enum wt_store *ret_store, const char **ret_why, struct wt_error *err);

/** Warnings that do not refuse, as text lines; calls emit for each. */
WT_API void wt_cert_warnings(const struct wt_cert *cert, int64_t now,
	void (*emit)(void *ctx, const char *code, const char *text), void *ctx);

/**
 * The registry value for a certificate, as Windows 10 writes it. A value
 * that was read with the certificate is given back as it was.
 *
 * @param friendly_name  UTF-8, replaces the one read; NULL keeps that
 * @param usages         what it is trusted for, "server-auth,client-auth" or
 *                       dotted numbers, "any" for everything; replaces each
 *                       limit that was read; NULL keeps them
 * @param ret_blob       free with wt_free()
 * @return WT_ERR_CERT (blob-too-large) over WT_BLOB_MAX; WT_ERR_USAGE
 *         (bad-usage, friendly-name-not-utf8)
 */
WT_API enum wt_status wt_cert_encode(const struct wt_cert *cert,
	const char *friendly_name, const char *usages, uint8_t **ret_blob,
	size_t *ret_blob_len, struct wt_error *err);

/** Does wt_cert_encode() know these usages? */
WT_API bool wt_usage_is_known(const char *usages);

/** Frees what a function of this library gave with the words "wt_free()". */
WT_API void wt_free(void *data);

/** One value of a registry export. */
struct wt_export_value {
	const char *store; /**< as Windows spells it, "AuthRoot" */
	const char *key;   /**< the thumbprint */
	const uint8_t *blob;
	size_t blob_len;
};

/**
 * A .reg file as regedit writes it: UTF-16LE with a byte-order mark, CRLF,
 * its own wrapping.
 *
 * @param root_name  the hive's name under HKEY_LOCAL_MACHINE, "SOFTWARE" or
 *                   the one it is loaded under, "winpe-offline";
 *                   NULL is "SOFTWARE"
 * @param ret_data   free with wt_free()
 */
WT_API enum wt_status wt_export_reg(const struct wt_export_value *values,
	size_t value_count, const char *root_name, uint8_t **ret_data,
	size_t *ret_data_len, struct wt_error *err);

/** One certificate as PEM, NUL-terminated. @param ret_pem wt_free() */
WT_API enum wt_status wt_cert_to_pem(
	const struct wt_cert *cert, char **ret_pem, struct wt_error *err);

/*
 * Targets
 *
 * A target is a WIM (.wim, .esd), a SOFTWARE hive, or a folder that holds
 * Windows/System32/config/SOFTWARE in any case; told by content. An ISO image
 * means the sources/boot.wim in it, which can be read, or changed into
 * another file (output).
 */

enum wt_target_kind {
	WT_TARGET_NONE = 0,
	WT_TARGET_WIM,
	WT_TARGET_HIVE,
	WT_TARGET_FOLDER,
	WT_TARGET_CERTS, /**< no target, but certificates to compare with */
};

/** How a hive gets into an image. */
enum wt_access {
	WT_ACCESS_AUTO = 0, /**< mount where it works, else update */
	WT_ACCESS_MOUNT,    /**< by FUSE; keeps the file's metadata */
	WT_ACCESS_UPDATE,   /**< needs neither FUSE nor privilege */
};

/** How a finished edit reaches the target. */
enum wt_commit {
	/** Replace where a new file can have the target's owner, group, mode,
	 *  access list, extended attributes and all its names; else append. A
	 *  hive is always written in place, guarded by an undo file. */
	WT_COMMIT_AUTO = 0,
	/** A finished copy takes the target's name. */
	WT_COMMIT_REPLACE,
	/** The WIM itself grows, guarded by an undo file. */
	WT_COMMIT_APPEND,
	/** In reports only: a hive was changed in place. */
	WT_COMMIT_IN_PLACE,
};

/** "mount" or "update", as in the JSON; NULL for what is neither. */
WT_API const char *wt_access_name(enum wt_access access);
/** "replace", "append" or "in-place", as in the JSON; NULL for any other value.
 */
WT_API const char *wt_commit_name(enum wt_commit commit);

/** Progress of one step; total is 0 when it is not known. Bytes. */
typedef void wt_progress_fn(
	void *ctx, const char *step, uint64_t done, uint64_t total);

/** The options of a call. Start with wt_options_init(). */
struct wt_options {
	/** Of the struct that the program was built with. A later version of
	 *  the library may append members, and takes their defaults where the
	 *  program's struct ends. */
	size_t size;
	/** Which images: numbers, names, "all", "boot". None: every image
	 *  that has the hive. */
	const char *const *images;
	size_t image_count;
	enum wt_store store; /**< WT_STORE_AUTO is "all" where one reads */
	unsigned allow;	     /**< enum wt_allow bits */
	enum wt_access access;
	enum wt_commit commit;
	const char *output; /**< write here, leave the target; NULL: itself */
	bool force;	    /**< output may exist */
	const char *backup_suffix; /**< keep the old file so; NULL: do not */
	const char *friendly_name; /**< UTF-8; NULL for none */
	const char *usages;   /**< as for wt_cert_encode(); NULL: as it comes */
	bool dry_run;	      /**< do everything except write */
	bool rebuild;	      /**< drop the holes of earlier appends */
	bool check_integrity; /**< check the integrity table before reading */
	bool keep_going;      /**< take the good certificates */
	bool repair;	      /**< repair what an interrupted writer left */
	bool discard_logs;    /**< discard a dirty hive's logs */
	bool replay_logs;     /**< apply a dirty hive's logs first */
	bool if_present;      /**< remove: succeed if it is not there */
	bool is_exact;	      /**< verify: and no other certificates */
	const char *base;     /**< exact: what else may be there; NULL */
	bool require_sandbox; /**< refuse where a lock is missing */
	bool hash_target;     /**< SHA-256 of the target into the report */
	unsigned threads;     /**< 0: one per processor */
	unsigned wait_seconds;	 /**< how long to wait for another writer */
	const char *temp_parent; /**< NULL: $TMPDIR, or /tmp */
	int64_t now;		 /**< seconds since 1970 */
	bool is_stamped; /**< times that are written are not later than stamp */
	int64_t stamp;	 /**< seconds since 1970 */
	/** NULL, or a signal's number: not 0 ends the call soon. A handler may
	 *  set it, or another thread by an atomic store (__atomic_store_n). */
	const volatile sig_atomic_t *cancel;
	wt_progress_fn *progress; /**< NULL for none */
	void *progress_ctx;
};

/** Sets size, and every option to its default: 0, but for wait_seconds (60)
 *  and now (the clock). Does nothing when options is NULL. */
#define wt_options_init(options)                                               \
	wt_options_init_sized((options), sizeof(*(options)))
WT_API void wt_options_init_sized(struct wt_options *options, size_t size);

/** What a call did with a certificate, or found. */
enum wt_action {
	WT_ACTION_PRESENT = 0, /**< found, sound */
	WT_ACTION_ADDED,
	WT_ACTION_UNCHANGED, /**< was there already, sound */
	WT_ACTION_REPAIRED,  /**< was there with an unsound value */
	WT_ACTION_REPLACED,  /**< was there with other properties */
	WT_ACTION_REMOVED,
	WT_ACTION_REFUSED, /**< problem says why */
	WT_ACTION_MISSING, /**< verify: not in the store */
	WT_ACTION_UNSOUND, /**< in the store, but Windows cannot read it so */
	WT_ACTION_EXTRA,   /**< exact: in a store, and not expected there */
};

/** "added" and so on, as in the JSON; NULL for what is not one of them. */
WT_API const char *wt_action_name(enum wt_action action);

/** One certificate in one store of one image. */
struct wt_entry {
	enum wt_action action;
	enum wt_store store;
	const char *place;		 /**< "Microsoft\\SystemCertificates" */
	const char *key;		 /**< the key's name: the thumbprint */
	const struct wt_cert_info *cert; /**< NULL when it cannot be read */
	const struct wt_cert *handle;	 /**< the same; for wt_cert_ calls */
	struct wt_error problem;	 /**< status WT_OK when there is none */
};

/** One link of the chain that check built, the server's own first. */
struct wt_chain_link {
	const struct wt_cert_info *cert;
	const struct wt_cert *handle; /**< the same; for wt_cert_ calls */
	const char *source;	      /**< "server", "AuthRoot", "CA", … */
};

/** An image, or the hive of a target without images. */
struct wt_image {
	int index; /**< 1 is the first; 0 when the target is no WIM */
	bool is_boot;
	bool is_chosen;
	const char *name, *description, *arch, *version;
	const char *hive_path; /**< in the image or the folder; "" for none */
	uint64_t hive_len;
	bool is_dirty;	    /**< its transaction logs hold changes */
	uint64_t key_count; /**< keys in the hive */
	size_t entry_count; /**< see wt_image_entry() */
	/** Windows RE in the image, which has its own stores and is not
	 *  changed; NULL for none. */
	const char *winre_path;
	struct wt_error problem; /**< why its hive cannot be used */
	/* check only */
	bool is_trusted;
	struct wt_error verdict; /**< why not; status WT_OK when trusted */
	/** The root that the image lacks; NULL if it has the root, or if the
	 *  root is not known. */
	const char *root_name;
	const char *root_sha1; /**< its thumbprint; NULL when not at hand */
	size_t chain_count;    /**< see wt_image_link() */
};

/**
 * The locks that sandbox the processes that parse input, one bit each. A kernel
 * or a container may lack or forbid some; the others work without them.
 */
enum wt_lock {
	/** No new privileges, and no capability but the two that let root
	 *  open a file by its name whatever its mode says. */
	WT_LOCK_PRIVILEGES = 1 << 0,
	/** Root became nobody, where no file is opened by its name. */
	WT_LOCK_USER = 1 << 1,
	/** Landlock: no file by name, or only the image and the run's own. */
	WT_LOCK_LANDLOCK = 1 << 2,
	/** seccomp: only the system calls that the work needs. */
	WT_LOCK_SECCOMP = 1 << 3,
};

/** "landlock" and so on, as in the JSON; NULL for what is not one of them. */
WT_API const char *wt_lock_name(enum wt_lock lock);

/** The locks that this system has, enum wt_lock bits. Starts a process that
 *  tries them. */
WT_API unsigned wt_locks(void);

/**
 * Fails unless the sandbox is complete. WT_LOCK_USER may be missing, because
 * only root can become another user. A program calls this before it reads
 * certificates; for the target, the option require_sandbox does the same.
 *
 * @param object  named in the error: what is not opened
 * @param locks   from wt_locks()
 * @return WT_ERR_FILE: sandbox-missing
 */
WT_API enum wt_status wt_locks_require(
	const char *object, unsigned locks, struct wt_error *err);

struct wt_warning {
	const char *code; /**< stable word */
	const char *text; /**< one line that names its object */
};

/** What a call found and did. On failure it holds what was found before. */
struct wt_report {
	const char *target;
	enum wt_target_kind kind;
	/** Where in an ISO image the WIM is; NULL when target is itself one.
	 *  Sizes and hashes are the WIM's. */
	const char *member;
	uint64_t size_before, size_after; /**< bytes; after: 0 if unwritten */
	char sha256_before[WT_SHA256_HEX_LEN + 1]; /**< "" unless asked for */
	char sha256_after[WT_SHA256_HEX_LEN + 1];
	const char *output;	/**< NULL when the target was the output */
	const char *backup;	/**< path of the kept old file, or NULL */
	bool is_changed;	/**< something was written, or would be */
	enum wt_access access;	/**< WT_ACCESS_AUTO when there was none */
	const char *access_why; /**< why not mount, or NULL */
	unsigned locks;		/**< enum wt_lock bits: those of its parsers */
	enum wt_commit commit;	/**< WT_COMMIT_AUTO when there was none */
	const char *commit_why; /**< why auto did not replace, or NULL */
	/* WIM only */
	const char *compression, *guid;
	uint32_t chunk_len;
	int boot_index;
	bool has_integrity_table, is_interrupted, is_pipable, is_solid;
	/** Bytes between the resources that belong to nothing: what a rebuild
	 *  would save, before this call. */
	uint64_t unused_len;
	uint64_t hole_len;	       /**< bytes that --repair would cut off */
	size_t image_count;	       /**< see wt_report_image() */
	size_t warning_count;	       /**< see wt_report_warning() */
	const struct wt_report *other; /**< diff: what was compared with */
};

/*
 * These functions reach the elements of a report, so that the structs may grow.
 * Results are borrowed from the report, and NULL past the last one.
 */

/** index is below report->image_count. */
WT_API const struct wt_image *wt_report_image(
	const struct wt_report *report, size_t index);
/** index is below report->warning_count. */
WT_API const struct wt_warning *wt_report_warning(
	const struct wt_report *report, size_t index);
/** index is below image->entry_count. */
WT_API const struct wt_entry *wt_image_entry(
	const struct wt_image *image, size_t index);
/** index is below image->chain_count. */
WT_API const struct wt_chain_link *wt_image_link(
	const struct wt_image *image, size_t index);

WT_API enum wt_status wt_report_new(
	struct wt_report **ret_report, struct wt_error *err);
WT_API void wt_report_free(struct wt_report *report);

/**
 * Adds certificates to the target. One that is present and sound stays
 * unchanged; if all are, nothing is written.
 *
 * @param certs   borrowed; the report points into it, so free it later
 * @param report  from wt_report_new(), used for this one call
 * @return WT_ERR_CERT when one is refused (unless keep_going), and any other
 *         status but WT_NO
 */
WT_API enum wt_status wt_target_add(const char *target,
	const struct wt_cert_list *certs, const struct wt_options *options,
	struct wt_report *report, struct wt_error *err);

/**
 * Removes certificates from one store (options->store) or all.
 *
 * @param thumbprints  SHA-1 or SHA-256 in hex, any case; spaces, colons,
 *                     invisible marks and openssl's "SHA1 Fingerprint=" are
 *                     skipped
 * @param certs        and these; NULL for none
 * @return WT_NO if one of them was not found; the others are removed
 */
WT_API enum wt_status wt_target_remove(const char *target,
	const char *const *thumbprints, size_t thumbprint_count,
	const struct wt_cert_list *certs, const struct wt_options *options,
	struct wt_report *report, struct wt_error *err);

/** Is text a thumbprint as wt_target_remove() takes it? */
WT_API bool wt_is_thumbprint(const char *text);
/** Is it that of this certificate, SHA-1 or SHA-256? */
WT_API bool wt_is_thumbprint_of(
	const char *text, const struct wt_cert_info *cert);

/** Lists every certificate of every store. */
WT_API enum wt_status wt_target_list(const char *target,
	const struct wt_options *options, struct wt_report *report,
	struct wt_error *err);

/**
 * Are these present and sound in every chosen image? With options->is_exact,
 * are there no others in any store but those of options->base?
 *
 * @param thumbprints  as wt_target_remove() takes them; present when a store
 *                     other than Disallowed (or options->store) holds it
 * @param certs        and these, in the store that options->store or their
 *                     kind says; NULL for none
 * @return WT_NO when not
 */
WT_API enum wt_status wt_target_verify(const char *target,
	const char *const *thumbprints, size_t thumbprint_count,
	const struct wt_cert_list *certs, const struct wt_options *options,
	struct wt_report *report, struct wt_error *err);

/**
 * What does new_target hold in its stores that old_target does not, and the
 * other way round?
 *
 * Either may also be a file of certificates, or "-": those have no store, so
 * that all stores that give trust count as one then. Images are compared with
 * those of the same number; one image on each side with one another.
 *
 * @param report  of new_target: an entry for each difference, ADDED, REMOVED
 *                or REPLACED (limited otherwise); report->other is old_target's
 * @return WT_NO when they differ
 */
WT_API enum wt_status wt_target_diff(const char *old_target,
	const char *new_target, const struct wt_options *options,
	struct wt_report *report, struct wt_error *err);

/**
 * Would Windows started from this image trust this TLS server?
 *
 * @param chain  what the server sends, its own certificate among it
 * @param host   the name it is reached by; NULL: not compared
 * @param at     seconds since 1970
 * @return WT_NO when it would not, in some chosen image
 */
WT_API enum wt_status wt_target_check(const char *target,
	const struct wt_cert_list *chain, const char *host, int64_t at,
	const struct wt_options *options, struct wt_report *report,
	struct wt_error *err);

/** Counts images, hives and stores, and fills the entries as list does. */
WT_API enum wt_status wt_target_info(const char *target,
	const struct wt_options *options, struct wt_report *report,
	struct wt_error *err);

/** Versions: the library's own, and what it is linked with. */
struct wt_versions {
	const char *wimtrust, *wimlib, *hivex, *openssl;
};
WT_API void wt_versions(struct wt_versions *ret_versions);

#ifdef __cplusplus
}
#endif

#endif
