FROM a
RUN echo '${{ x }}' {{ y }} ${{
ENV A='{{.Z}}'
