/* SPDX-License-Identifier: MIT
 * base/sniff.c: what a file is that is not what was asked for. */
#include "base/sniff.h"

#include "base/text.h"

#include <ctype.h>
#include <string.h>

#define BINARY "get it again, as bytes (PowerShell: Copy-Item), or as PEM"
#define UNPACK "unpack it, and give the file that is in it"
#define MOUNT "mount it, and give the boot.wim that is in it"
#define HIVE_ITSELF "give the hive itself, not a text about it"
#define JKS "keytool -list -rfc -keystore FILE >certs.pem takes them out of it"
#define SIGNATURE_LIST                                                         \
	"sig-list-to-certs FILE cert takes them out of it (Debian: efitools)"
#define FROM_BASE16 "basenc --base16 -d >root.cer makes the certificate of it"
#define FROM_HEX "tr -cd 0-9A-Fa-f | tr a-f A-F | " FROM_BASE16
#define EXPORT_BROWSER "export the certificate with the program that wrote it"

#define EFI_X509                                                               \
	"\xa1\x59\xc0\xa5\xe4\x94\xa7\x4a\x87\xb5\xab\x15\x5c\x2b\xf0\x72"
#define EFI_SHA256                                                             \
	"\x26\x16\xc4\xc1\x4c\x50\x92\x40\xac\xa9\x41\xf9\x36\x93\x43\x28"
#define EFI_VARIABLE "tail -c +5 FILE >certs.esl makes a signature list of it"

/* By bytes at a fixed place. The first that fits counts. */
static const struct {
	size_t offset;
	const char *magic;
	size_t len;
	struct wt_sniff sniff;
} binaries[] = {
	{0, "0\xEF\xBF\xBD", 4,
		{"DER that a program took for text and stored as UTF-8", BINARY,
			NULL}},
	{0, "0\xC2\x82", 3,
		{"DER that a program took for text and stored as UTF-8", BINARY,
			NULL}},
	{0,
		"\xFF\xFE"
		"0\0\x1A\x20",
		6,
		{"DER that a program took for text and stored as UTF-16",
			BINARY, NULL}},
	{0, "MSWIM\0\0\0", 8, {"a WIM", NULL, NULL}},
	{0, "WLPWM\0\0\0", 8, {"a WIM", NULL, NULL}},
	/* by the GUIDs of UEFI 2.10, 32.4.1 */
	{0, EFI_X509, 16,
		{"a UEFI signature list (.esl)", SIGNATURE_LIST, NULL}},
	{0, EFI_SHA256, 16,
		{"a UEFI signature list (.esl)", SIGNATURE_LIST, NULL}},
	{4, EFI_X509, 16, {"a UEFI variable", EFI_VARIABLE, NULL}},
	{4, EFI_SHA256, 16, {"a UEFI variable", EFI_VARIABLE, NULL}},
	{24, "\x9d\xd2\xaf\x4a\xdf\x68\xee\x49\x8a\xa9\x34\x7d\x37\x56\x65\xa7",
		16, {"a signed update of a UEFI variable (.auth)", NULL, NULL}},
	{0, "PReg\1\0\0\0", 8,
		{"a policy file (registry.pol)",
			"export the certificate on a PC that has the policy: "
			"certlm.msc",
			NULL}},
	{0, "PK\3\4", 4, {"a .zip archive", UNPACK, UNPACK}},
	{0, "7z\xbc\xaf\x27\x1c", 6, {"a 7-Zip archive", UNPACK, UNPACK}},
	{0, "Rar!\x1a\7", 6, {"a .rar archive", UNPACK, UNPACK}},
	{0, "MSCF\0\0\0\0", 8, {"a cabinet file", UNPACK, UNPACK}},
	{0, "\x1f\x8b\x08", 3, {"a gzip file", UNPACK, UNPACK}},
	{0, "\xfd\x37zXZ", 5, {"an xz file", UNPACK, UNPACK}},
	{4, "\x31\x41\x59\x26\x53\x59", 6, {"a bzip2 file", UNPACK, UNPACK}},
	{0, "\x28\xb5\x2f\xfd", 4, {"a zstd file", UNPACK, UNPACK}},
	{257, "ustar", 5, {"a tar archive", UNPACK, UNPACK}},
	{0, "\xfe\xed\xfe\xed", 4, {"a Java key store", JKS, NULL}},
	{0, "\xce\xce\xce\xce", 4, {"a Java key store", JKS, NULL}},
	{0, "SQLite format 3", 16,
		{"an SQLite database (cert9.db of Firefox is one)",
			EXPORT_BROWSER, NULL}},
	{0, "%PDF-", 5, {"a PDF document", NULL, NULL}},
	{0, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8,
		{"an OLE file (.msi, .doc)", NULL, NULL}},
	{0,
		"\x7f"
		"ELF",
		4, {"a Linux program", NULL, NULL}},
	{0, "vhdxfile", 8, {"a VHDX disk image", MOUNT, MOUNT}},
	{0, "conectix", 8, {"a VHD disk image", MOUNT, MOUNT}},
	{0, "QFI\xfb", 4, {"a qcow2 disk image", MOUNT, MOUNT}},
	{0, "KDMV", 4, {"a VMDK disk image", MOUNT, MOUNT}},
	{0x40, "\x7f\x10\xda\xbe", 4, {"a VDI disk image", MOUNT, MOUNT}},
	{0x8001, "CD001", 5,
		{"an ISO image", MOUNT,
			"copy sources/boot.wim out of it and give that"}},
	{0x8001, "BEA01", 5,
		{"an ISO image (UDF)", MOUNT,
			"copy sources/boot.wim out of it and give that"}},
	{512, "EFI PART", 8, {"a raw disk image (GPT)", MOUNT, MOUNT}},
	{3, "NTFS    ", 8, {"the image of an NTFS file system", MOUNT, MOUNT}},
	{3, "EXFAT   ", 8, {"the image of an exFAT file system", MOUNT, MOUNT}},
	{82, "FAT32   ", 8, {"the image of a FAT file system", MOUNT, MOUNT}},
	{54, "FAT1", 4, {"the image of a FAT file system", MOUNT, MOUNT}},
	{1080, "\x53\xef", 2,
		{"the image of an ext4 file system", MOUNT, MOUNT}},
	{510, "\x55\xaa", 2, {"a raw disk image", MOUNT, MOUNT}},
	{0, "MZ\x90\0", 4, {"a Windows program", NULL, NULL}},
};

static const struct wt_sniff hive = {"a registry hive",
	"take the certificates out of it: wimtrust export -o certs.reg FILE",
	NULL};
static const struct wt_sniff fixed_vhd = {"a VHD disk image", MOUNT, MOUNT};

/* By the words that a text begins with, white space left out. */
static const struct {
	const char *word;
	struct wt_sniff sniff;
} texts[] = {
	{"version https://git-lfs.github.com/spec/",
		{"a Git LFS pointer, not the file itself",
			"check the repository out with Git LFS, so that the "
			"file itself is there",
			"check the repository out with Git LFS, so that the "
			"file itself is there"}},
	{"<!doctype html",
		{"a web page",
			"open the address in a browser: it may ask you to log "
			"in; then save the certificate itself",
			"download the file itself"}},
	{"<html",
		{"a web page",
			"open the address in a browser: it may ask you to log "
			"in; then save the certificate itself",
			"download the file itself"}},
	{"<?xml", {"XML", NULL, NULL}},
	{"{", {"JSON", NULL, NULL}},
	{"00000000: 30 82",
		{"DER as xxd shows it", "cut -c11-57 <FILE | " FROM_HEX, NULL}},
	{"00000000: 3082",
		{"DER as xxd shows it", "cut -c11-49 <FILE | " FROM_HEX, NULL}},
	{"00000000  30 82", {"DER as hexdump -C shows it",
				    "cut -c11-58 <FILE | " FROM_HEX, NULL}},
	{"regfexport ", {"what regfexport prints", HIVE_ITSELF, HIVE_ITSELF}},
	{"regfinfo ", {"what regfinfo prints", HIVE_ITSELF, HIVE_ITSELF}},
	{"PATH,TYPE,VALUE",
		{"what reglookup prints", HIVE_ITSELF, HIVE_ITSELF}},
	{"ssh-", {"an SSH public key", NULL, NULL}},
	{"ecdsa-sha2-", {"an SSH public key", NULL, NULL}},
};

#define TEXT_HEX 0
#define TEXT_DECIMAL 1
#define TEXT_REG_QUERY 2
#define TEXT_DUMP 3
static const struct wt_sniff dumps[] = {
	[TEXT_HEX] = {"DER in hex digits",
		"sed 's/[0\\\\][xX]//g' <FILE | " FROM_HEX, NULL},
	[TEXT_DECIMAL] = {"DER as the numbers of its bytes",
		"tr -d '\\0' <FILE | grep -aoE '[0-9]+' | xargs printf %02X "
		"| " FROM_BASE16,
		NULL},
	[TEXT_REG_QUERY] = {"what \"reg query\" prints",
		"tr -d '\\0\\r' <FILE | sed -nE -e 1iREGEDIT4 -e "
		"'s/.*(HKEY_.*)/[\\1]/p;/ Blob +REG_BINARY /{s/.* //;s/../,&/g;"
		"s/,/\"Blob\"=hex:/p}' >certs.reg makes a .reg file of it",
		NULL},
	[TEXT_DUMP] = {"the text of a certificate, written out for people",
		"the certificate itself is needed: .cer, .crt or .pem", NULL},
};

/* openssl, certutil and certtool, keytool, .NET */
static const char *const dump_words[] = {"Signature Algorithm:",
	"X509 Certificate:", "Signature matches Public Key",
	"Certificate fingerprints:", "[Thumbprint]"};

static bool has_at(
	const uint8_t *data, size_t len, size_t at, const char *magic, size_t n)
{
	return len >= at + n && memcmp(data + at, magic, n) == 0;
}

/* Does "0x", "\x" or "X'" begin there, as programs mark hex digits? */
static bool is_hex_mark(const char *text, size_t len)
{
	return len > 1 && (((text[0] == '0' || text[0] == '\\') &&
				   (text[1] | 0x20) == 'x') ||
				  ((text[0] | 0x20) == 'x' && text[1] == '\''));
}

/* Hex digits of DER: 30 82, with what programs put between them, and nothing
 * else. */
static bool is_hex(const char *text, size_t len)
{
	char first[4] = "";
	size_t count = 0;

	for (size_t i = 0; i < len; i++) {
		if (is_hex_mark(text + i, len - i)) {
			i++;
		} else if (isxdigit((unsigned char)text[i])) {
			if (count < sizeof(first))
				first[count] = text[i];
			count++;
		} else if (!text[i] || !strchr(" \t\r\n:,;'\"(){}", text[i])) {
			return false;
		}
	}
	return count > 200 && count % 2 == 0 && memcmp(first, "308", 3) == 0;
}

/* The same as numbers, as PowerShell writes an array of bytes. */
static bool is_decimal(const char *text, size_t len)
{
	size_t count = 0;

	for (size_t i = 0; i < len; i++) {
		if (isdigit((unsigned char)text[i]))
			count++;
		else if (!text[i] || !strchr(" \t\r\n,", text[i]))
			return false;
	}
	return count > 200 && memcmp(text, "48", 2) == 0 &&
	       !isdigit((unsigned char)text[2]);
}

const struct wt_sniff *wt_sniff_text(const char *text, size_t len)
{
	if (len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) {
		text += 3;
		len -= 3;
	}
	while (len > 0 && isspace((unsigned char)text[0])) {
		text++;
		len--;
	}
	if (is_hex(text, len))
		return &dumps[TEXT_HEX];
	if (is_decimal(text, len))
		return &dumps[TEXT_DECIMAL];
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		size_t own = strlen(texts[i].word);

		if (len >= own &&
			wt_text_is_equal_nocase(text, own, texts[i].word))
			return &texts[i].sniff;
	}
	if (memmem(text, len, "    REG_BINARY    ", 18))
		return &dumps[TEXT_REG_QUERY];
	for (size_t i = 0; i < sizeof(dump_words) / sizeof(dump_words[0]); i++)
		if (memmem(text, len, dump_words[i], strlen(dump_words[i])))
			return &dumps[TEXT_DUMP];
	return NULL;
}

bool wt_sniff_is_hive(const uint8_t *data, size_t len)
{
	size_t end = len < WT_SNIFF_HIVE_LEN ? len : WT_SNIFF_HIVE_LEN;
	size_t pos = 4;

	if (!has_at(data, len, 0, "regf", 4))
		return false;
	while (pos < end && (isprint(data[pos]) || isspace(data[pos])))
		pos++;
	return pos < end || end < WT_SNIFF_HIVE_LEN;
}

const struct wt_sniff *wt_sniff_binary(
	const uint8_t *data, size_t len, const uint8_t *tail, size_t tail_len)
{
	if (wt_sniff_is_hive(data, len))
		return &hive;
	for (size_t i = 0; i < sizeof(binaries) / sizeof(binaries[0]); i++)
		if (has_at(data, len, binaries[i].offset, binaries[i].magic,
			    binaries[i].len))
			return &binaries[i].sniff;
	if (tail && tail_len >= WT_SNIFF_TAIL_LEN &&
		has_at(tail, tail_len, tail_len - WT_SNIFF_TAIL_LEN, "conectix",
			8))
		return &fixed_vhd;
	return NULL;
}
