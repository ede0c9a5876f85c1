"""Counts jobs in the database."""

import os
import socket
import time
from urllib.parse import urlparse

STEP = 1

database = urlparse(os.environ["REDIS_URL"])

if __name__ == "__main__":
    with socket.create_connection((database.hostname, database.port)) as connection:
        connection.sendall(f"AUTH {database.password}\r\n".encode())
        while True:
            connection.sendall(f"INCRBY jobs {STEP}\r\n".encode())
            connection.recv(4096)
            time.sleep(0.2)
