process.stdout.write('capstan\n');
