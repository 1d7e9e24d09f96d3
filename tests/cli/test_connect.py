# SPDX-License-Identifier: MIT
# test_connect.py: check --connect against openssl s_server on the loopback.
import os
import signal
import socket
import subprocess
import threading

from clitest import (HANG, WIMTRUST, Case, children, environment, main,
                     wait_until, wimtrust)

MORE = ('subjectAltName=DNS:localhost,DNS:other.example,IP:127.0.0.1,IP:::1\n'
        'crlDistributionPoints=URI:http://crl.example/a.crl\n'
        'authorityInfoAccess=OCSP;URI:http://ocsp.example/,'
        'caIssuers;URI:http://aia.example/r.cer\n')


def openssl(*words, folder):
    subprocess.run(['openssl', *words], cwd=folder, check=True,
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as sock:
            sock.bind(('::1', 0))
        return True
    except OSError:
        return False


class Connect(Case):
    def setUp(self):
        super().setUp()
        self.target = self.hive()
        self.issue('root', 'Root', None)
        self.root = self.folder / 'root.pem'

    def issue(self, name, subject, issuer, more=''):
        """name.pem and name.key; self-signed without an issuer."""
        key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256',
               '-nodes', '-keyout', name + '.key', '-subj', '/CN=' + subject]
        if issuer is None:
            openssl('req', '-x509', '-days', '30', '-out', name + '.pem',
                    *key, folder=self.folder)
            return
        (self.folder / 'ext').write_text(more)
        openssl('req', '-new', '-out', name + '.csr', *key,
                folder=self.folder)
        openssl('x509', '-req', '-in', name + '.csr', '-CA', issuer + '.pem',
                '-CAkey', issuer + '.key', '-CAcreateserial', '-days', '20',
                '-extfile', 'ext', '-out', name + '.pem', folder=self.folder)

    def listen(self, address, *more):
        """openssl s_server on a free port of address; the port."""
        family = socket.AF_INET6 if ':' in address else socket.AF_INET
        with socket.socket(family) as sock:
            sock.bind((address, 0))
            port = sock.getsockname()[1]
        where = '[%s]:%d' % (address, port) if ':' in address \
            else '%s:%d' % (address, port)
        server = subprocess.Popen(
            ['openssl', 's_server', '-accept', where, '-quiet', '-cert',
             's.pem', '-key', 's.key', *more], cwd=self.folder,
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        self.addCleanup(server.stdin.close)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)

        def is_listening():
            try:
                with socket.create_connection((address, port)):
                    return True
            except OSError:
                return False
        wait_until(is_listening, 'openssl s_server')
        return port

    def check(self, server, *more):
        return wimtrust('check', *more, '--connect', server, self.target)

    def test_the_chain_is_fetched_and_judged(self):
        self.issue('s', 'localhost', 'root', MORE)
        port = self.listen('127.0.0.1', '-cert_chain', 'root.pem')
        server = '127.0.0.1:%d' % port
        run = self.check(server)
        self.assertEqual(run.status, 1, run.err)
        self.assertIn('[root-not-in-image]', run.err)
        self.assertIn('root needed: CN=Root (', run.out)
        wimtrust('add', self.target, self.root)
        run = self.check(server, '--json')
        self.assertEqual(run.status, 0, run.err)
        value = run.json
        self.assertEqual((value['server'], value['host']),
                         (server, '127.0.0.1'))
        link = value['images'][0]['chain'][0]
        self.assertEqual((link['source'], link['subject']),
                         ('server', 'CN=localhost'))
        self.assertEqual((link['crl'], link['ocsp'], link['issuers']),
                         (['http://crl.example/a.crl'],
                          ['http://ocsp.example/'],
                          ['http://aia.example/r.cer']))
        self.assertEqual(value['warnings'], [])
        run = self.check(server)
        for text in ('CRL     http://crl.example/a.crl',
                     'OCSP    http://ocsp.example/',
                     'issuer  http://aia.example/r.cer'):
            self.assertIn(text, run.out)

    def test_the_name_is_the_one_that_was_connected_to(self):
        self.issue('s', 'x', 'root', 'subjectAltName=DNS:other.example\n')
        wimtrust('add', self.target, self.root)
        port = self.listen('127.0.0.1')
        run = self.check('127.0.0.1:%d' % port)
        self.assertEqual(run.status, 1)
        self.assertIn('[wrong-host]', run.err)
        run = self.check('127.0.0.1:%d' % port, '--host', 'other.example')
        self.assertEqual(run.status, 0, run.err)
        self.assertIn('[no-revocation-address]', run.err)

    def test_the_name_is_sent(self):
        self.issue('s', 'wrong', 'root', 'subjectAltName=DNS:wrong\n')
        self.issue('s2', 'localhost', 'root', MORE)
        wimtrust('add', self.target, self.root)
        port = self.listen('127.0.0.1', '-servername', 'localhost', '-cert2',
                           's2.pem', '-key2', 's2.key')
        # localhost may lead to ::1 first, where nothing listens.
        self.assertEqual(self.check('localhost:%d' % port).status, 0)
        self.assertEqual(self.check('127.0.0.1:%d' % port).status, 1)
        # The name that the PC will use, wherever it leads today.
        for host in ('localhost', 'localhost.'):
            run = self.check('127.0.0.1:%d' % port, '--host', host)
            self.assertEqual(run.status, 0, run.err)
        for host in ('[::1]', 'x' * 300, 'ö'):
            run = self.check('127.0.0.1:%d' % port, '--host', host)
            self.assertIn(run.status, (1, 2), run.err)
            self.assertNotIn('memory', run.err)

    def test_ipv6(self):
        if not has_ipv6():
            self.skipTest('there is no IPv6 here')
        self.issue('s', 'localhost', 'root', MORE)
        wimtrust('add', self.target, self.root)
        port = self.listen('::1')
        run = self.check('[::1]:%d' % port)
        self.assertEqual(run.status, 0, run.err)

    def test_the_command_for_a_proxy_is_one_that_openssl_takes(self):
        if not has_ipv6():
            self.skipTest('there is no IPv6 here')
        with socket.socket(socket.AF_INET6) as sock:
            sock.bind(('::1', 0))
            port = sock.getsockname()[1]
            run = self.check('[::1]:%d' % port)
        self.assertIn('[connect-failed]', run.err)
        self.assertIn(' -connect [::1]:%d <' % port, run.err)

    def test_old_versions_and_wanted_client_certificates_do_no_harm(self):
        self.issue('s', 'localhost', 'root', MORE)
        wimtrust('add', self.target, self.root)
        for more in (('-tls1_2',), ('-tls1_3',), ('-tls1_2', '-Verify', '1'),
                     ('-tls1_3', '-Verify', '1')):
            with self.subTest(more):
                port = self.listen('127.0.0.1', *more)
                run = self.check('127.0.0.1:%d' % port)
                self.assertEqual(run.status, 0, run.err)

    def silent(self, answer=b''):
        """A server that takes connections, and says answer or nothing."""
        sock = socket.socket()
        sock.bind(('127.0.0.1', 0))
        sock.listen()
        self.addCleanup(sock.close)
        self.peers = []

        def serve():
            try:
                while True:
                    peer, _ = sock.accept()
                    self.addCleanup(peer.close)
                    self.peers.append(peer)
                    if answer:
                        peer.sendall(answer)
                        peer.shutdown(socket.SHUT_WR)
            except OSError:
                pass
        threading.Thread(target=serve, daemon=True).start()
        return '127.0.0.1:%d' % sock.getsockname()[1]

    def test_what_goes_wrong_is_said(self):
        with socket.socket() as sock:
            sock.bind(('127.0.0.1', 0))
            closed = '127.0.0.1:%d' % sock.getsockname()[1]
            run = self.check(closed)
        self.assertEqual(run.status, 7)
        self.assertIn('[connect-failed]', run.err)
        run = self.check('')
        self.assertIn('wimtrust: --connect: is empty [bad-host]', run.err)
        run = self.check(self.silent(b'220 mail.example ESMTP\r\n'))
        self.assertEqual(run.status, 7)
        self.assertIn('[connect-tls]', run.err)
        for server in ('', 'https://a.example/', 'a.example:0', '[::1',
                       'a.example:99999', 'a.example:x', ':443', '[a]:1',
                       'a b'):
            run = self.check(server)
            self.assertEqual(run.status, 2, server)
            self.assertIn('[bad-host]', run.err)
        run = wimtrust('check', '--connect', closed, self.target, self.root)
        self.assertEqual(run.status, 2)
        run = wimtrust('check', self.target)
        self.assertEqual(run.status, 2)

    def test_every_wait_has_an_end(self):
        run = self.check(self.silent(), '--timeout', '1')
        self.assertEqual(run.status, 7)
        self.assertIn('[connect-timeout]', run.err)

    def test_a_signal_ends_it(self):
        process = subprocess.Popen(
            [WIMTRUST, 'check', '--timeout', '100', '--connect',
             self.silent(), os.fspath(self.target)], env=environment(),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: self.peers, 'a connection')
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(timeout=HANG), 143)

    def test_a_process_of_its_own_dies(self):
        for which in (0, 1):
            process = subprocess.Popen(
                [WIMTRUST, 'check', '--timeout', '100', '--connect',
                 self.silent(), os.fspath(self.target)], env=environment(),
                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            wait_until(lambda: self.peers, 'a connection')
            wait_until(lambda: len(children(process.pid)) == 2, 'a handshake')
            # Killed, it would be taken for one that had no memory.
            os.kill(children(process.pid)[which], signal.SIGABRT)
            err = process.communicate(timeout=HANG)[1]
            self.assertEqual(process.returncode, 7, err)
            self.assertIn(b'[connect-crash]', err)

    def test_show_names_the_root(self):
        self.issue('s', 'localhost', 'root', MORE)
        run = wimtrust('show', self.folder / 's.pem')
        self.assertIn('root needed: CN=Root (not among these)', run.out)
        run = wimtrust('show', '--json', self.folder / 's.pem', self.root)
        self.assertEqual(
            run.json['roots_needed'],
            [{'subject': 'CN=Root',
              'sha1': run.json['certificates'][1]['sha1']}])
        run = wimtrust('show', self.root)
        self.assertNotIn('root needed', run.out)


if __name__ == '__main__':
    main()
