"""COPY from S3: the command's text, the files, their documents, the values and the log of what is bad."""
