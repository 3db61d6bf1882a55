from debian
run true
copy a b
cmd x
